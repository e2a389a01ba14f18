// Who stands behind an upload, where shares and limits are counted: the person that the portal names, else everybody who
// acts on one submission together.

import { createHash } from 'node:crypto'

export type Person = { owner: string; submissionId: string; subject: string | null }

/** The same for the same person of a portal, and telling nobody who that is: names of people are nobody's business in Redis. */
export function personHash({ submissionId, subject }: Omit<Person, 'owner'>): string {
  const who = subject === null ? `submission ${submissionId}` : `subject ${subject}`
  return createHash('sha256').update(who).digest('base64url')
}
