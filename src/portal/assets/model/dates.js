// Where the submission stands in time, by the server's clock: before it opens, open, in its grace, in time for repairs, closed.

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
  const repair =
    state === 'returned' ? revisions.flatMap(({ repairUntil }) => repairUntil ?? []).at(-1) : undefined
  if (repair !== undefined && nowMs <= Date.parse(repair)) return { at: 'repair', ms: Date.parse(repair) }
  const closesMs = deadlineMs + graceSeconds * 1000
  return nowMs <= closesMs ? { at: 'grace', ms: closesMs } : { at: 'closed', ms: closesMs }
}
