// The submission head: the data of the portal about a submission. Written only by portal calls; the document that
// readers see is computed from it and from the upload records.

import type { RevocationList } from './revocations.ts'

export type SealedBy = 'request' | 'deadline'

export type RevisionRecord = {
  revision: number
  sealedAt?: string
  /** What sealed it: a call, or the end of its time. Absent: a call. */
  sealedBy?: SealedBy
  /** The latest `storedAt` of the sealed uploads, which counts as the time of receipt. */
  creditedAt?: string | null
  returnedAt?: string
  reason?: string
  repairUntil?: string
  /** Slots named by the return, whose files must be replaced. */
  slots?: string[]
  /** Frozen at the seal: slot → upload ids. */
  uploads?: Record<string, string[]>
  /** The portal has decided about it. Counts as long as this is the current revision, and sealed: see `closingOf`. */
  closed?: Closing
}

export type Closing = {
  at: string
  /** As the portal calls it. */
  outcome?: string
  /** The files of the submission stay until then. */
  keepUntil: string
  /** Their removal was begun: the date cannot be moved any more. */
  mediaRemovedAt?: string
  /** All of them are gone. */
  mediaErasedAt?: string
}

/** Time of an outage that was given back, and when. RFC 3339. */
export type MadeUpFor = { outage: string; from: string; to: string; at: string }

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
  /** It is sealed by itself when it is complete and its time is over. Absent: no. */
  sealAtDeadline?: boolean
  /** When its dates were last changed. Absent: when it was created. */
  datesSetAt?: string
  /** It was told that its time was over and that it was not complete. */
  lapsed?: { at: string; closesAt: string; missing: string[]; pending: string[] }
  uniqueKey: string | null
  /** Whose hand-in it is, as an id of the portal. Absent or null: whoever uploads. */
  person?: string | null
  callbackUrl: string | null
  metadata: Record<string, unknown>
  /** Metadata fields: slot → values. */
  slotMetadata: Record<string, Record<string, unknown>>

  state: 'open' | 'sealed' | 'returned' | 'deleted'
  revision: number
  revisions: RevisionRecord[]
  /** Names of applied extensions, so that each is applied once. */
  extensions?: string[]
  /** Outages whose lost time was given back, so that none is given back twice. Absent: none. */
  madeUpFor?: MadeUpFor[]
  /** Since when a seal waits for verdicts; absent or null: no seal waits. */
  sealRequestedAt?: string | null
  /** Sessions that were revoked; absent: none ever was. */
  revocations?: RevocationList
  sequence: number
  event: string | null
  /** An old version whose `metadata` and `slotMetadata` were taken out: newer versions have them as they became. */
  shortened?: true
  createdAt: string
  updatedAt: string
  /** Of a deleted one: names of its claims on `uniqueKey`, until they are released. */
  claims?: string[]
  /** Of a deleted one: everything about it has been removed but this version. */
  erasedAt?: string
}

/** The closing that counts: a return makes it history. */
export function closingOf({ state, revision, revisions }: Pick<SubmissionHead, 'state' | 'revision' | 'revisions'>) {
  return state === 'sealed' ? revisions.find((entry) => entry.revision === revision)?.closed : undefined
}

/** From when on its files are to be removed, Unix milliseconds; null: never as it stands, or it was done. */
export function keptUntilMs(head: Pick<SubmissionHead, 'state' | 'revision' | 'revisions'>): number | null {
  const closing = closingOf(head)
  return closing === undefined || closing.mediaErasedAt !== undefined ? null : Date.parse(closing.keepUntil)
}
