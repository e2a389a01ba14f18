// Range requests (RFC 9110, section 14) with one range, as players send them.

import type { ByteRange } from '../storage/object-store.ts'

/** `whole`: answer 200. `part`: 206 with an inclusive range. `unsatisfiable`: 416. */
export type RangeAnswer = { kind: 'whole' } | ({ kind: 'part' } & ByteRange) | { kind: 'unsatisfiable' }

/**
 * "A server MAY ignore the Range header field": several ranges, other units and invalid values get the whole file. A last position
 * after the end means the end; `-n` means the last n bytes.
 */
export function parseRange(header: string | undefined, totalBytes: number): RangeAnswer {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' }
  if (first === '') {
    const length = Math.min(Number(last), totalBytes)
    if (length === 0) return { kind: 'unsatisfiable' }
    return { kind: 'part', start: totalBytes - length, end: totalBytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? Number.POSITIVE_INFINITY : Number(last)
  if (end < start) return { kind: 'whole' }
  if (start >= totalBytes) return { kind: 'unsatisfiable' }
  return { kind: 'part', start, end: Math.min(end, totalBytes - 1) }
}

/** If-Range: only a strong match with the same object; dates are not strong enough. */
export function rangeStillHolds(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag
}
