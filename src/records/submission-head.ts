// The submission head: what the portal said about a submission. Written by portal calls only; the document that
// readers see is computed from it and from the upload records.

export type RevisionRecord = {
  revision: number
  sealedAt?: string
  /** The latest `storedAt` of what was frozen: what credit is given for. */
  creditedAt?: string | null
  returnedAt?: string
  reason?: string
  repairUntil?: string
  /** Named by the return: whose files are to be changed. */
  slots?: string[]
  /** Frozen at the seal: slot → upload ids. */
  uploads?: Record<string, string[]>
}

export type SubmissionHead = {
  schema: 1
  version: number
  nonce: string
  committedAt: string

  owner: string
  id: string
  /** `teacher.K4@1`: pinned with its version. */
  profile: string
  opensAt: string | null
  deadline: string | null
  graceSeconds: number
  uniqueKey: string | null
  callbackUrl: string | null
  metadata: Record<string, unknown>
  /** What a slot asks besides files: slot → values. */
  slotMetadata: Record<string, Record<string, unknown>>

  state: 'open' | 'sealed' | 'returned' | 'deleted'
  revision: number
  revisions: RevisionRecord[]
  /** Names under which operators have moved its dates, so that each is done once. */
  extensions?: string[]
  /** Since when a seal waits for verdicts; absent or null: none does. */
  sealRequestedAt?: string | null
  sequence: number
  event: string | null
  createdAt: string
  updatedAt: string
}
