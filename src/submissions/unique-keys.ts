// At most one active submission per `uniqueKey` (a person, a rank, a term). The claim on a key is a record of its own in
// the object store, so that of two portals' processes exactly one gets it.

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
 * A claim comes before the head that carries its key. If the head never came, the process died between the two: after
 * this long the key is anybody's again. Far longer than a head can take.
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

  /** Claims a key for a submission; its own claim again is no change. Throws SUBMISSION_DUPLICATE {existingId}. */
  async claim(owner: string, key: string, submissionId: string): Promise<void> {
    await this.#commit(owner, key, async (claim) => {
      if (claim === undefined || claim.submissionId === null) return { submissionId }
      if (claim.submissionId === submissionId) return undefined
      if (await this.#holds(owner, key, claim.submissionId, claim.committedAt))
        throw new AppError('SUBMISSION_DUPLICATE', { details: { existingId: claim.submissionId } })
      return { submissionId }
    })
  }

  /** Throws SUBMISSION_DUPLICATE where the claim was lost: to be asked just before a head with the key is committed. */
  async confirm(owner: string, key: string, submissionId: string): Promise<void> {
    const claim = await this.#log.latest(objectKeys.uniqueKey(owner, key))
    if (claim?.submissionId !== submissionId)
      throw new AppError('SUBMISSION_DUPLICATE', { details: { existingId: claim?.submissionId ?? null } })
  }

  /** Lets go of a key, if it is this submission's. */
  async release(owner: string, key: string, submissionId: string): Promise<void> {
    await this.#commit(owner, key, (claim) =>
      claim?.submissionId === submissionId ? { submissionId: null } : undefined,
    )
  }

  /** Whether a claim still stands for an active submission, or for one that is about to be. */
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
