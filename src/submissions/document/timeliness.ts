// Whether an upload was in time, by the current dates of the submission: a moved deadline also applies to
// existing uploads. The server time of the last stored byte counts.

import type { SubmissionHead } from '../../records/submission-head.ts'

export type Dates = Pick<SubmissionHead, 'opensAt' | 'deadline' | 'graceSeconds' | 'revision' | 'revisions'>

export type Timeliness = {
  /** Stored after the deadline (within grace or not). */
  late: boolean
  /** Stored after grace, but within the repair time of a return. */
  repaired: boolean
  /** May count for the submission. */
  counts: boolean
}

/** The last time at which a stored byte counts, without repairs; null: no deadline. RFC 3339. */
export function closesAt(dates: Dates): string | null {
  return dates.deadline === null ? null : new Date(Date.parse(dates.deadline) + dates.graceSeconds * 1000).toISOString()
}

/** An upload without `storedAt` is not late yet. */
export function timelinessOf(dates: Dates, upload: { storedAt: string | null; revision: number }): Timeliness {
  if (dates.deadline === null || upload.storedAt === null) return { late: false, repaired: false, counts: true }
  const storedMs = Date.parse(upload.storedAt)
  const deadlineMs = Date.parse(dates.deadline)
  const inTime = storedMs <= deadlineMs + dates.graceSeconds * 1000
  const repaired = !inTime && storedMs <= repairUntilMs(dates, upload.revision)
  return { late: storedMs > deadlineMs, repaired, counts: inTime || repaired }
}

/** The repair time applies to later revisions, not to earlier late files. */
function repairUntilMs(dates: Dates, revision: number): number {
  const until = dates.revisions
    .filter((returned) => returned.revision < revision && returned.repairUntil !== undefined)
    .map((returned) => Date.parse(returned.repairUntil ?? ''))
  return Math.max(Number.NEGATIVE_INFINITY, ...until)
}

/** Whether a file completed now would count. */
export function isAccepting(dates: Dates, now: number): boolean {
  if (dates.opensAt !== null && now < Date.parse(dates.opensAt)) return false
  return timelinessOf(dates, { storedAt: new Date(now).toISOString(), revision: dates.revision }).counts
}
