// Whether the script of a form field only calls Acrobat's built-in functions for fields. Such calls come from choosing
// "number" or "date" in a dialogue; they change only the field's own text.

/** Formats, keystroke filters, ranges and sums. Functions that show a dialogue or reach other fields are not in the list. */
const FUNCTION =
  /^AF(Number|Percent|Date|DateEx|Time|TimeEx|Special)_(Format|Keystroke)(Ex)?$|^AFSpecial_KeystrokeEx$|^AFDate_(Format|Keystroke)Ex$|^AF(Range_Validate|Simple_Calculate|MergeChange)$/

/** Literals only, because a name could be another function. */
const LITERAL = String.raw`(?:"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|[-+]?\d+(?:\.\d*)?|[-+]?\.\d+|true|false|null)`
const LIST = String.raw`(?:new\s+Array\s*\(\s*(?:${LITERAL}\s*(?:,\s*${LITERAL}\s*)*)?\)|\[\s*(?:${LITERAL}\s*(?:,\s*${LITERAL}\s*)*)?\])`
const ARGUMENT = `(?:${LITERAL}|${LIST})`
const CALL = new RegExp(String.raw`^\s*(AF[A-Za-z_]+)\s*\(\s*(?:${ARGUMENT}\s*(?:,\s*${ARGUMENT}\s*)*)?\)\s*(?:;\s*)*`)
/** Acrobat's own scripts have one or two lines; longer ones were written by somebody. */
const MAX_CHARS = 4_096

/** @param script the source text of one action */
export function isFieldScript(script: string): boolean {
  if (script.length > MAX_CHARS) return false
  let rest = script
  let calls = 0
  while (rest.trim() !== '') {
    const [call, name = ''] = CALL.exec(rest) ?? []
    if (call === undefined || !FUNCTION.test(name)) return false
    rest = rest.slice(call.length)
    calls++
  }
  return calls > 0
}
