// At most one active submission per `uniqueKey` (a person, a rank, a term). The reservation of a key is a record in
// the object store, so that of concurrent requests exactly one gets it.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { VersionLog } from '../records/version-log.ts'
import type { ObjectStore } from '../storage/object-store.ts'

type KeyClaim = {
  version: number
  nonce: string
  committedAt: string
  /** Null: released. */
  submissionId: string | null
}

/**
 * A key is reserved before the head is committed. If there is no head, the process died between the two: after
 * this time the key is free again.
 */
const ORPHANED_MS = 60_000

export class UniqueKeys {
  readonly #heads: SubmissionHeads
  readonly #clock: Clock
  readonly #log: VersionLog<KeyClaim>

  constructor(deps: { store: ObjectStore; heads: SubmissionHeads; clock: Clock }) {
    this.#heads = deps.heads
    this.#clock = deps.clock
    this.#log = new VersionLog(deps.store)
  }

  /** Reserves a key for a submission; idempotent. Throws SUBMISSION_DUPLICATE {existingId}. */
  async claim(owner: string, key: string, submissionId: string): Promise<void> {
    await this.#commit(owner, key, async (claim) => {
      if (claim === undefined || claim.submissionId === null) return { submissionId }
      if (claim.submissionId === submissionId) return undefined
      if (await this.#holds(owner, key, claim.submissionId, claim.committedAt))
        throw new AppError('SUBMISSION_DUPLICATE', { details: { existingId: claim.submissionId } })
      return { submissionId }
    })
  }

  /** Throws SUBMISSION_DUPLICATE if the reservation was lost; call it just before the head is committed. */
  async confirm(owner: string, key: string, submissionId: string): Promise<void> {
    const claim = await this.#log.latest(objectKeys.uniqueKey(owner, key))
    if (claim?.submissionId !== submissionId)
      throw new AppError('SUBMISSION_DUPLICATE', { details: { existingId: claim?.submissionId ?? null } })
  }

  /** Releases a key, if it is this submission's. */
  async release(owner: string, key: string, submissionId: string): Promise<void> {
    await this.#commit(owner, key, (claim) =>
      claim?.submissionId === submissionId ? { submissionId: null } : undefined,
    )
  }

  /** Whether a reservation belongs to an active submission, or to one that is being created. */
  async #holds(owner: string, key: string, submissionId: string, claimedAt: string): Promise<boolean> {
    const head = await this.#heads.fromStore(owner, submissionId)
    if (head?.state === 'deleted') return false
    if (head?.uniqueKey === key) return true
    return this.#clock.now() - Date.parse(claimedAt) < ORPHANED_MS
  }

  async #commit(
    owner: string,
    key: string,
    decide: (
      claim: KeyClaim | undefined,
    ) => Promise<Pick<KeyClaim, 'submissionId'> | undefined> | Pick<KeyClaim, 'submissionId'> | undefined,
  ): Promise<void> {
    const prefix = objectKeys.uniqueKey(owner, key)
    const latest = () => this.#log.latest(prefix)
    await this.#log.commit(prefix, () => isoTime(this.#clock.now()), await latest(), latest, decide)
  }
}
