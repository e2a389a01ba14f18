// Drafts of uploads that nobody sends.

import { newUploadId } from '../../src/core/ids.ts'
import type { UploadDraft } from '../../src/records/upload-session.ts'

export const OWNER = 'portal'
/** Signs the ids of uploads in every environment. */
export const TICKET_SECRET = 'a-ticket-secret-of-thirty-two-characters'
export const SECRETS = [TICKET_SECRET] as const

/** Of a PDF for the slot `plan`, unless said otherwise. */
export function draftFor(submissionId: string | null, change: Partial<UploadDraft> = {}): UploadDraft {
  const owner = change.owner ?? OWNER
  return {
    id: newUploadId(owner, submissionId, SECRETS),
    owner,
    submissionId,
    slot: 'plan',
    revision: 1,
    subject: null,
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
