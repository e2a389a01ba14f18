// Parses times and durations of the command line.

import { usageError } from './errors.ts'

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DURATION = /^(?:\d+(?:\.\d+)?[smhd])+$/

/** `90s`, `30m`, `2h`, `1h30m`, `1d`. Throws a usage error. @returns milliseconds, more than 0 */
export function durationMs(text: string, option: string): number {
  if (!DURATION.test(text)) throw usageError(`${option}: "${text}" is not a duration (90s, 30m, 2h, 1h30m, 1d)`)
  let ms = 0
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g))
    ms += Number(amount) * (UNIT_MS[unit] ?? 0)
  if (ms === 0) throw usageError(`${option}: "${text}" must be greater than zero`)
  return Math.round(ms)
}

/** A date and time (RFC 3339), or how long ago: `2h`. Throws a usage error. @returns milliseconds */
export function momentMs(text: string, option: string, nowMs: number): number {
  if (DURATION.test(text)) return nowMs - durationMs(text, option)
  // A zone is required: the zone of this machine could be a surprise.
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const ms = isInstant ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw usageError(`${option}: "${text}" is not a time (2026-09-30T23:59:00+07:00, or how long ago: 2h)`)
  return ms
}

/** Throws a usage error. */
export function wholeNumber(text: string, what: string, min: number, max: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= min && number <= max)) throw usageError(`${what}: "${text}" is not a number from ${min} to ${max}`)
  return number
}
