// Removes what a run has made on a stage, and lists what could not be removed.

import { type Portal, PortalError } from './portal.ts'

export type Removal = {
  /** Submissions deleted, or never created. */
  removed: number
  /** Ids of submissions that are still there. */
  left: string[]
  errors: string[]
}

const AT_A_TIME = 8
const EXAMPLES = 3

/** Never rejects. */
export async function removeSubmissions(portal: Portal, ids: readonly string[]): Promise<Removal> {
  const left: string[] = []
  let why = ''
  let unanswered = 0
  const queue = ids.values()
  const work = async () => {
    for (const id of queue)
      try {
        // A service that is gone: each further call would wait for all its retries.
        if (unanswered >= AT_A_TIME) {
          left.push(id)
          continue
        }
        await portal.deleteSubmission(id)
        unanswered = 0
      } catch (error) {
        left.push(id)
        if (!(error instanceof PortalError) || error.status >= 500) unanswered += 1
        why = error instanceof PortalError ? error.code : String(error)
      }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  const errors =
    left.length === 0
      ? []
      : [`${left.length} submissions not removed (${why}): ${left.slice(0, EXAMPLES).join(', ')} …`]
  return { removed: ids.length - left.length, left, errors }
}
