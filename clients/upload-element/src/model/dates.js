// The phase of the submission by the server's clock: before opening, open, grace, repair, closed.

/** @typedef {import('./store.js').Submission} Submission */
/**
 * @typedef {{at: 'always'} | {at: 'before', ms: number} | {at: 'open', ms: number, leftMs: number}
 *   | {at: 'grace', ms: number} | {at: 'repair', ms: number} | {at: 'closed', ms: number}} When
 */

/** @param {Submission} submission @param {number} nowMs @returns {When} */
export function whenOf({ opensAt, deadline, graceSeconds, revisions, state }, nowMs) {
  const opensMs = opensAt === null ? Number.NEGATIVE_INFINITY : Date.parse(opensAt)
  if (nowMs < opensMs) return { at: 'before', ms: opensMs }
  if (deadline === null) return { at: 'always' }
  const deadlineMs = Date.parse(deadline)
  if (nowMs <= deadlineMs) return { at: 'open', ms: deadlineMs, leftMs: deadlineMs - nowMs }
  const repair = state === 'returned' ? revisions.flatMap(({ repairUntil }) => repairUntil ?? []).at(-1) : undefined
  if (repair !== undefined && nowMs <= Date.parse(repair)) return { at: 'repair', ms: Date.parse(repair) }
  const closesMs = deadlineMs + graceSeconds * 1000
  return nowMs <= closesMs ? { at: 'grace', ms: closesMs } : { at: 'closed', ms: closesMs }
}

/**
 * Whether a new file may be started in a slot, by the submission document: in grace only if an upload was started before the
 * deadline, in the repair time only if a file was returned or rejected.
 *
 * @param {Submission} submission @param {string} slot @param {number} nowMs
 */
export function mayBegin(submission, slot, nowMs) {
  const { deadline, revisions, uploads } = submission
  const own = uploads.filter((upload) => upload.slot === slot)
  switch (whenOf(submission, nowMs).at) {
    case 'grace':
      return own.some(({ createdAt }) => Date.parse(createdAt) <= Date.parse(deadline ?? ''))
    case 'repair':
      return (
        revisions.some((revision) => (revision.repairUntil && revision.uploads[slot]?.length) || 0) ||
        own.some(({ state }) => state === 'rejected')
      )
    default:
      return true
  }
}
