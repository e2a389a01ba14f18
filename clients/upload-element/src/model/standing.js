// Where the submission stands as a whole: what the person has to do, or that nothing is left to do.

import { whenOf } from './dates.js'

/** @typedef {import('./store.js').Submission} Submission */
/**
 * `notHandedIn`: complete, and the person must still hand it in. `byItself`: complete, and the service will do so. The states that
 * begin with `over` are after the end: `overByItself` is about to be handed in, `lapsed` was not complete.
 * @typedef {'incomplete' | 'pending' | 'armed' | 'notHandedIn' | 'byItself' | 'returned' | 'sealed' | 'sealedByItself'
 *   | 'overByItself' | 'overPending' | 'overNotHandedIn' | 'lapsed'} Standing
 */

/** @param {Submission} submission @param {number} nowMs the server's time @returns {Standing} */
export function standingOf(submission, nowMs) {
  const { state, complete, missing, sealRequestedAt, sealAtDeadline, revisions } = submission
  if (state === 'sealed') return revisions.at(-1)?.sealedBy === 'deadline' ? 'sealedByItself' : 'sealed'
  if (state === 'returned') return 'returned'
  const isExpected = complete || missing.length === 0
  if (whenOf(submission, nowMs).at === 'closed') {
    if (!isExpected) return 'lapsed'
    if (sealAtDeadline || sealRequestedAt !== null) return 'overByItself'
    return complete ? 'overNotHandedIn' : 'overPending'
  }
  if (sealRequestedAt !== null) return 'armed'
  if (!isExpected) return 'incomplete'
  if (sealAtDeadline && submission.deadline !== null) return complete ? 'byItself' : 'pending'
  return complete ? 'notHandedIn' : 'pending'
}

/** When it is handed in by itself: the deadline with its grace, Unix milliseconds. @param {Submission} submission */
export function endsMs({ deadline, graceSeconds }) {
  return Date.parse(deadline ?? '') + graceSeconds * 1000
}
