// The searchable texts of a submission: id, person, file names, portal metadata.
// Stored as lines in lower case; parts of words match, which is needed for scripts without spaces.

import type { SubmissionHead } from '../../records/submission-head.ts'

/** Enough for any ordinary submission. */
const MAX_CHARS = 6000
const MAX_LINE = 300

/** Normalizes for comparison: lower case, NFC, single spaces. */
function plain(text: string): string {
  return text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim()
}

/** The words of a question; all must match. Empty for an empty question. */
export function wordsOf(question: string): string[] {
  return [...new Set(plain(question).split(' '))].filter((word) => word !== '')
}

/**
 * Adds new lines to `before`. The first line stays: it is the submission's id. If there are too many,
 * the oldest others are removed.
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

/** The searchable part of a record, a draft or an attempt. */
export type Said = { subject: string | null; declared: { filename: string | null } | null }

export function wordsOfUpload({ subject, declared }: Said): (string | null)[] {
  return [subject, declared?.filename ?? null]
}

export function wordsOfHead({ uniqueKey, metadata, slotMetadata }: SubmissionHead): (string | null)[] {
  return [uniqueKey, ...textsIn(metadata), ...textsIn(slotMetadata)]
}

/** Every text in the portal metadata. @internal */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(textsIn)
}
