// The words by which people look for a submission: its id, who it is of, what the files are called, what the portal says
// about it. Kept as lines in small letters, so that a part of a word finds it, in scripts without spaces too.

/** Longer than what any submission needs whose files were not renamed by the hundred. */
const MAX_CHARS = 6000
const MAX_LINE = 300

/** What is compared with what: small letters, one way of writing each character, single spaces. */
export function plain(text: string): string {
  return text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim()
}

/** The parts of a question; all of them have to be found. Empty where it asks for nothing. */
export function wordsOf(question: string): string[] {
  return [...new Set(plain(question).split(' '))].filter((word) => word !== '')
}

/**
 * The lines of `before` with those that are new. The first stays: it is the submission's id. Where there are too many,
 * the oldest of the others go.
 */
export function withLines(before: string, more: readonly (string | null | undefined)[]): string {
  const lines = new Set(before === '' ? [] : before.split('\n'))
  for (const line of more) {
    const text = plain(line ?? '').slice(0, MAX_LINE)
    if (text !== '') lines.add(text)
  }
  const [first = '', ...rest] = lines
  let chars = first.length + rest.reduce((sum, line) => sum + line.length + 1, 0)
  while (chars > MAX_CHARS) chars -= (rest.shift() ?? '').length + 1
  return [first, ...rest].join('\n')
}

/** Every text in what a portal keeps with a submission. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(textsIn)
}
