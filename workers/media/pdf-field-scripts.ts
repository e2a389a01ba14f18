// Whether a script of a form's field is only a call of what Acrobat brings along for fields. Such calls are written by
// choosing "number" or "date" in a dialogue; they reach nothing but the field's own text.

/** Formats, keystroke filters, ranges and sums. The ones that show a dialogue or reach another place are not here. */
const FUNCTION =
  /^AF(Number|Percent|Date|DateEx|Time|TimeEx|Special)_(Format|Keystroke)(Ex)?$|^AFSpecial_KeystrokeEx$|^AFDate_(Format|Keystroke)Ex$|^AF(Range_Validate|Simple_Calculate|MergeChange)$/

/** Literals only: no name could be another function. */
const LITERAL = String.raw`(?:"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|[-+]?\d+(?:\.\d*)?|[-+]?\.\d+|true|false|null)`
const LIST = String.raw`(?:new\s+Array\s*\(\s*(?:${LITERAL}\s*(?:,\s*${LITERAL}\s*)*)?\)|\[\s*(?:${LITERAL}\s*(?:,\s*${LITERAL}\s*)*)?\])`
const ARGUMENT = `(?:${LITERAL}|${LIST})`
const CALL = new RegExp(String.raw`^\s*(AF[A-Za-z_]+)\s*\(\s*(?:${ARGUMENT}\s*(?:,\s*${ARGUMENT}\s*)*)?\)\s*(?:;\s*)*`)
/** Acrobat's own are one or two lines; more is somebody's. */
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
