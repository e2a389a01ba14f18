// At most one active submission per `uniqueKey` (a person, a rank, a term). The reservation of a key is a record in
// the object store, so that of concurrent requests exactly one gets it. It is stored under keyed hashes, since a `uniqueKey`
// often holds a citizen's number: one hash for each secret of the configuration, so that none is missed while secrets change.

import { createHash } from 'node:crypto'
import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { PersonalHash } from '../core/personal-hash.ts'
import { objectKeys, uniqueKeyOf } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { VersionLog } from '../records/version-log.ts'
import type { ObjectStore } from '../storage/object-store.ts'

type KeyReservation = {
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
/** A released reservation is removed after this: nobody who read it before still writes. */
const RELEASED_KEEP_MS = 86_400_000

/** The name under which former versions reserved a key: its hash without a secret, 64 hex digits. @internal */
export function formerName(uniqueKey: string): string {
  return createHash('sha256').update(uniqueKey).digest('hex')
}

const isFormer = (hash: string) => /^[0-9a-f]{64}$/.test(hash)

export type UniqueKeysDeps = {
  store: ObjectStore
  heads: SubmissionHeads
  personalHash: PersonalHash
  clock: Clock
  logger: Logger
  /** Whether a process of a former version may be running: it looks for former names only. */
  formerVersionRuns: () => boolean
}

export class UniqueKeys {
  readonly #deps: UniqueKeysDeps
  readonly #log: VersionLog<KeyReservation>

  constructor(deps: UniqueKeysDeps) {
    this.#deps = deps
    this.#log = new VersionLog(deps.store)
  }

  /** Every name under which a key may be reserved. */
  namesOf(owner: string, key: string): string[] {
    return [...this.#keyedNames(owner, key), formerName(key)]
  }

  #keyedNames(owner: string, key: string): string[] {
    const { personalHash } = this.#deps
    return personalHash.all('unique key', owner, key).map((hash, i) => `${personalHash.keyIds[i]}.${hash}`)
  }

  /** Reserves a key for a submission; idempotent. Throws SUBMISSION_DUPLICATE {existingId}. */
  async reserve(owner: string, key: string, submissionId: string): Promise<void> {
    const keyed = this.#keyedNames(owner, key)
    const former = formerName(key)
    if (this.#deps.formerVersionRuns()) keyed.push(former)
    else await this.#refuseHeld(owner, key, former, submissionId)
    const taken: string[] = []
    try {
      // In one order everywhere, or of two processes with other secrets neither might get all.
      for (const name of keyed.toSorted()) if (await this.#reserve(owner, key, name, submissionId)) taken.push(name)
    } catch (error) {
      await this.releaseNames(owner, taken, submissionId)
      throw error
    }
  }

  async #reserve(owner: string, key: string, name: string, submissionId: string): Promise<boolean> {
    return await this.#commit(owner, name, async (reservation) => {
      if (reservation === undefined || reservation.submissionId === null) return { submissionId }
      if (reservation.submissionId === submissionId) return undefined
      if (await this.#holds(owner, key, reservation.submissionId, reservation.committedAt))
        throw duplicate(reservation.submissionId)
      return { submissionId }
    })
  }

  async #refuseHeld(owner: string, key: string, name: string, submissionId: string): Promise<void> {
    const reservation = await this.#log.latest(objectKeys.uniqueKey(owner, name))
    if (reservation === undefined || reservation.submissionId === null || reservation.submissionId === submissionId)
      return
    if (await this.#holds(owner, key, reservation.submissionId, reservation.committedAt))
      throw duplicate(reservation.submissionId)
  }

  /** Throws SUBMISSION_DUPLICATE if the reservation was lost; call it just before the head is committed. */
  async confirm(owner: string, key: string, submissionId: string): Promise<void> {
    for (const name of this.#keyedNames(owner, key)) {
      const reservation = await this.#log.latest(objectKeys.uniqueKey(owner, name))
      if (reservation?.submissionId !== submissionId) throw duplicate(reservation?.submissionId ?? null)
    }
    await this.#refuseHeld(owner, key, formerName(key), submissionId)
  }

  /** Releases a key, if it is this submission's and its head does not have it. */
  async release(owner: string, key: string, submissionId: string): Promise<void> {
    // Of two PUTs of one submission the refused one, or the earlier one, must not give away what the other has won.
    if ((await this.#deps.heads.fromStore(owner, submissionId))?.uniqueKey === key) return
    await this.releaseNames(owner, this.namesOf(owner, key), submissionId)
  }

  /** The same by the names of its reservations, which needs no secret. */
  async releaseNames(owner: string, names: readonly string[], submissionId: string): Promise<void> {
    const keepsFormer = names.some(isFormer) && this.#deps.formerVersionRuns()
    for (const name of names) {
      const prefix = objectKeys.uniqueKey(owner, name)
      const released = await this.#commit(owner, name, (reservation) =>
        reservation?.submissionId === submissionId ? { submissionId: null } : undefined,
      )
      if (released && isFormer(name) && !keepsFormer) await this.#deps.store.removeAll(prefix)
      else if (released) await this.#log.forgetEarlier(prefix)
    }
  }

  /**
   * Reserves every key under the newest secret too, also those that a former version reserved, and removes names that nobody
   * looks for any more, and reservations that were released a day ago. Those that no submission has, since a process died
   * before it created or released them, are released. Safe at any time, and for several at once.
   *
   * @returns how many names were removed
   */
  async renew(): Promise<number> {
    let removed = 0
    for await (const { owner, hash } of this.#names()) {
      try {
        if (await this.#renew(owner, hash)) removed++
      } catch (err) {
        this.#deps.logger.warn({ err, owner }, 'a unique key could not be renewed; it is tried again tomorrow')
      }
    }
    return removed
  }

  /** @returns whether the name was removed */
  async #renew(owner: string, hash: string): Promise<boolean> {
    const { heads, personalHash, clock } = this.#deps
    const prefix = objectKeys.uniqueKey(owner, hash)
    const reservation = await this.#log.latest(prefix)
    if (reservation === undefined) return false
    const ageMs = clock.now() - Date.parse(reservation.committedAt)
    const isLookedFor =
      personalHash.keyIds.some((id) => hash.startsWith(`${id}.`)) || (isFormer(hash) && this.#deps.formerVersionRuns())
    if (reservation.submissionId !== null) {
      const head = await heads.fromStore(owner, reservation.submissionId)
      const key = head === undefined || head.state === 'deleted' ? null : head.uniqueKey
      const isYoung = ageMs < ORPHANED_MS
      if (key === null && isYoung) return false
      if (key !== null)
        for (const name of this.#keyedNames(owner, key)) await this.#reserve(owner, key, name, reservation.submissionId)
      const isHeld = key !== null && this.namesOf(owner, key).includes(hash)
      if (isLookedFor && !isHeld && !isYoung) await this.releaseNames(owner, [hash], reservation.submissionId)
      if (isLookedFor) return false
    } else if (ageMs < RELEASED_KEEP_MS) return false
    // Whoever has read it may reserve the key meanwhile.
    await this.#log.forgetUpTo(prefix, reservation.version)
    return true
  }

  /** Every name under which a key is or was reserved, once. */
  async *#names(): AsyncGenerator<{ owner: string; hash: string }> {
    let last = ''
    for await (const { key } of this.#deps.store.list(objectKeys.uniqueKeys)) {
      const found = uniqueKeyOf(key)
      if (found === undefined || `${found.owner}/${found.hash}` === last) continue
      last = `${found.owner}/${found.hash}`
      yield found
    }
  }

  /** Whether a reservation belongs to an active submission, or to one that is being created. */
  async #holds(owner: string, key: string, submissionId: string, reservedAt: string): Promise<boolean> {
    const head = await this.#deps.heads.fromStore(owner, submissionId)
    if (head?.state === 'deleted') return false
    if (head?.uniqueKey === key) return true
    return this.#deps.clock.now() - Date.parse(reservedAt) < ORPHANED_MS
  }

  async #commit(
    owner: string,
    name: string,
    decide: (
      reservation: KeyReservation | undefined,
    ) => Promise<Pick<KeyReservation, 'submissionId'> | undefined> | Pick<KeyReservation, 'submissionId'> | undefined,
  ): Promise<boolean> {
    const prefix = objectKeys.uniqueKey(owner, name)
    const latest = () => this.#log.latest(prefix)
    const now = () => isoTime(this.#deps.clock.now())
    return (await this.#log.commit(prefix, now, await latest(), latest, decide)).committed
  }
}

function duplicate(existingId: string | null): AppError {
  return new AppError('SUBMISSION_DUPLICATE', { details: { existingId } })
}
