// Drafts of uploads that nobody sends.

import { newUploadId } from '../../../src/core/ids.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'

export const OWNER = 'portal'
const SECRETS = ['a secret of this test that is long enough'] as const

export function draftFor(submissionId: string | null, change: Partial<UploadDraft> = {}): UploadDraft {
  return {
    id: newUploadId(OWNER, submissionId, SECRETS),
    owner: OWNER,
    submissionId,
    slot: 'plan',
    revision: 1,
    subject: null,
    replaces: null,
    declared: { filename: 'แผน.pdf', type: 'application/pdf', bytes: 1000 },
    metadata: {},
    fingerprint: null,
    concat: null,
    createdAt: new Date().toISOString(),
    maxBytes: 10_000,
    kinds: [],
    ...change,
  }
}
