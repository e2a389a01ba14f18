// Who stands behind an upload, where shares and limits are counted: the person that the portal names, else everybody who
// acts on one submission together.

import type { PersonalHash } from '../core/personal-hash.ts'
import type { UploadRecord } from './upload-record.ts'

export type Person = { owner: string; submissionId: string; subject: string | null }

/** The same for the same person of a portal, and telling nobody who that is: names of people are nobody's business in Redis. */
export function personName(hash: PersonalHash, { owner, submissionId, subject }: Person): string {
  return subject === null ? submissionId : hash.of('person', owner, subject)
}

/** The same of an upload, for workers, which have no key. A record of a former version does not name its person. */
export function personOf({ id, submissionId, person }: Pick<UploadRecord, 'id' | 'submissionId' | 'person'>): string {
  return person ?? submissionId ?? id
}
