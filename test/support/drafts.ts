// Drafts of uploads that nobody sends, and heads of submissions that nobody has put.

import { newUploadId } from '../../src/core/ids.ts'
import { PersonalHash } from '../../src/core/personal-hash.ts'
import { personName } from '../../src/records/person.ts'
import type { SubmissionHead } from '../../src/records/submission-head.ts'
import type { UploadDraft } from '../../src/records/upload-session.ts'
import type { NextVersion } from '../../src/records/version-log.ts'

export const OWNER = 'portal'
/** Signs the ids of uploads in every environment. */
export const TICKET_SECRET = 'a-ticket-secret-of-thirty-two-characters'
export const SECRETS = [TICKET_SECRET] as const

const PERSONAL_HASH = new PersonalHash(SECRETS)

/** Of a PDF for the slot `plan`, unless said otherwise. */
export function draftFor(submissionId: string | null, change: Partial<UploadDraft> = {}): UploadDraft {
  const { owner = OWNER, subject = null } = change
  return {
    ...(subject === null
      ? {}
      : { person: personName(PERSONAL_HASH, { owner, submissionId: submissionId ?? '', subject }) }),
    id: newUploadId(owner, submissionId, SECRETS),
    owner,
    submissionId,
    slot: 'plan',
    revision: 1,
    subject,
    replaces: null,
    declared: { filename: 'แผนการสอน.pdf', type: 'application/pdf', bytes: 1000 },
    metadata: {},
    fingerprint: null,
    concat: null,
    createdAt: new Date().toISOString(),
    maxBytes: 10_000,
    kinds: [],
    ...change,
  }
}

/** The head of a submission as a PUT makes it, with a change. */
export function newHead(id: string, change: Partial<SubmissionHead> = {}): NextVersion<SubmissionHead> {
  const now = new Date().toISOString()
  return {
    schema: 1,
    owner: OWNER,
    id,
    profile: 'test@1',
    opensAt: null,
    deadline: null,
    graceSeconds: 0,
    uniqueKey: null,
    callbackUrl: null,
    metadata: {},
    slotMetadata: {},
    state: 'open',
    revision: 1,
    revisions: [],
    sequence: 0,
    event: null,
    createdAt: now,
    updatedAt: now,
    ...change,
  }
}
