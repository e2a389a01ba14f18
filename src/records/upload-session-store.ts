// Upload sessions: offset, parts and lock of running uploads, one Redis hash each. Every change is one
// script that checks the fence. Redis decides the saved offset; the store can always be read to verify it.

import type { Clock } from '../core/clock.ts'
import { askAll, run, runMany } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { RunId } from '../core/run-id.ts'
import * as commands from './commands.ts'
import { type RedisKeys, redisKeysOf } from './keys.ts'
import { noteOpen } from './open-uploads.ts'
import {
  decodeParts,
  partFields,
  progressFields,
  type Restorable,
  restoredFields,
  type SessionProgress,
} from './session-fields.ts'
import { SESSION_FIELDS } from './stored-fields.ts'
import type { StoredPart } from './upload-record.ts'
import { decodeSession, pairs, slotKey, type UploadDraft, type UploadSession } from './upload-session.ts'

export type AcquireOutcome =
  | {
      kind: 'acquired'
      state: UploadSession
      /** The last holder's channel, if it did not release the lock. */
      formerHolder: string | null
    }
  | { kind: 'held'; state: UploadSession; fence: string; channel: string }
  | { kind: 'offset'; state: UploadSession }
  | { kind: 'ended'; state: UploadSession }
  /** The caller's ticket is for another slot. */
  | { kind: 'scope' }
  | { kind: 'missing' }

export const LEASE_MS = 15_000

export class UploadSessionStore {
  readonly redis: RedisConnection
  readonly keys: RedisKeys
  readonly #runId: RunId
  readonly #clock: Clock

  constructor(redis: RedisConnection, runId: RunId, clock: Clock) {
    this.redis = redis
    this.keys = redisKeysOf(redis)
    this.#runId = runId
    this.#clock = clock
  }

  /**
   * Registers a new upload without stored bytes. If an unfinished upload has the same `fingerprintKey`,
   * nothing is created, and the id of that upload is returned.
   */
  async create(
    draft: UploadDraft,
    options: {
      size: number | null
      expiresAtMs: number
      partBytes: number
      fingerprintKey?: string
      /** The lock for the creating request. */
      lock?: { fence: string; channel: string }
    },
  ): Promise<{ joined: string | null }> {
    const session = this.keys.hot(draft.id)
    for (let other = ''; ; ) {
      const [outcome, found = ''] = (await run(
        this.redis,
        commands.createSession,
        [
          session,
          this.keys.due(draft.id),
          draft.submissionId === null ? session : this.keys.uploadsOf(draft.owner, draft.submissionId),
          options.fingerprintKey ?? session,
          other === '' ? session : this.keys.hot(other),
        ],
        [
          draft.id,
          JSON.stringify(draft),
          options.size ?? '',
          options.expiresAtMs,
          options.partBytes,
          this.#runId.current,
          Date.parse(draft.createdAt),
          slotKey(draft),
          options.lock?.fence ?? '',
          options.lock?.channel ?? '',
          LEASE_MS,
          other,
        ],
      )) as [string, string?]
      if (outcome === 'joined') return { joined: found }
      if (outcome === 'created') break
      other = found
    }
    if (draft.submissionId !== null) await noteOpen(this.redis, draft)
    return { joined: null }
  }

  /** The upload that was last created, or restored, with this fingerprint in its slot. */
  async holderOfFingerprint(key: string): Promise<string | undefined> {
    return (await viaRedis(this.redis.get(key))) ?? undefined
  }

  async read(id: string): Promise<UploadSession | undefined> {
    const fields = await viaRedis(this.redis.hgetall(this.keys.hot(id)))
    return fields[SESSION_FIELDS.draft] === undefined
      ? undefined
      : decodeSession(fields, this.#clock.now(), this.#runId.current)
  }

  async readMany(ids: string[]): Promise<(UploadSession | undefined)[]> {
    const answers = await askAll(
      this.redis,
      ids.map((id) => (to) => to.hgetall(this.keys.hot(id))),
    )
    return (answers as Record<string, string>[]).map((fields) =>
      fields[SESSION_FIELDS.draft] === undefined
        ? undefined
        : decodeSession(fields, this.#clock.now(), this.#runId.current),
    )
  }

  /**
   * Takes the lock for `fence` if it is free. With `offset`, an upload with another offset is not changed:
   * only a request at the durable offset may interrupt a holder. `steal` is the fence of a holder
   * that did not answer.
   */
  async acquire(
    id: string,
    fence: string,
    channel: string,
    options: { offset?: number; steal?: string; ticketSlot?: string } = {},
  ): Promise<AcquireOutcome> {
    const askedOf = this.#runId.current
    const [kind, flat, extra, redisNow] = (await run(
      this.redis,
      commands.acquireSession,
      [this.keys.hot(id)],
      [
        fence,
        channel,
        LEASE_MS,
        options.offset ?? '',
        options.steal ?? '',
        this.#runId.current,
        options.ticketSlot ?? '',
      ],
    )) as [string, string[]?, string?, string?]
    if (kind === 'missing' || flat === undefined) return { kind: 'missing' }
    if (kind === 'scope') return { kind }
    const state = decodeSession(pairs(flat), this.#clock.now(), this.#runId.current)
    if (kind === 'held') {
      const { fence: held = '', channel: where = '' } = state.holder ?? {}
      return { kind, state, fence: held, channel: where }
    }
    // Redis was restarted between request and reply: the compared offset is not trusted.
    if (kind === 'offset' && askedOf !== this.#runId.current) return this.acquire(id, fence, channel, options)
    if (kind === 'offset' || kind === 'ended') return { kind, state }
    state.inFlight = byTimer(state.inFlight, performance.now() - Number(redisNow))
    return { kind: 'acquired', state, formerHolder: extra === undefined || extra === '' ? null : extra }
  }

  /** Saves a higher durable offset. False: another request has taken over, or the upload has ended. */
  async saveProgress(id: string, fence: string, progress: SessionProgress): Promise<boolean> {
    const fields = progressFields(progress)
    const parts = partFields(progress.parts ?? [])
    return (
      (await run(
        this.redis,
        commands.saveProgress,
        [this.keys.hot(id), this.keys.parts(id), this.keys.due(id)],
        [id, fence, progress.offset, progress.expiresAtMs, LEASE_MS, fields.length, ...fields, ...parts],
      )) === 1
    )
  }

  /** Marks a part as in flight to S3 (`number:sinceMs`). False: the fence is lost. */
  async markInFlight(id: string, fence: string, partNumber: number): Promise<boolean> {
    return (await run(this.redis, commands.renewSession, [this.keys.hot(id)], [fence, LEASE_MS, partNumber])) === 1
  }

  /** Declares a deferred length once. False: the fence is lost, or another length is declared. */
  async declareLength(id: string, fence: string, size: number): Promise<boolean> {
    return (await run(this.redis, commands.declareLength, [this.keys.hot(id)], [fence, size])) === 1
  }

  /** Renews the leases of holders with slow clients. */
  async renew(held: Iterable<{ id: string; fence: string }>): Promise<void> {
    const calls = [...held].map(({ id, fence }) => ({
      command: commands.renewSession,
      keys: [this.keys.hot(id)],
      args: [fence, LEASE_MS, ''],
    }))
    await runMany(this.redis, calls)
  }

  /** Releases the lock, if it is still held by this fence. */
  async release(id: string, fence: string, clientGone = false): Promise<void> {
    await run(this.redis, commands.releaseSession, [this.keys.hot(id)], [fence, clientGone ? 1 : 0])
  }

  /**
   * Ends a session according to its record: the lock is removed, the offset is final. `storedBytes` if the upload
   * is complete.
   */
  async end(
    id: string,
    status: 'stored' | 'expired' | 'cancelled',
    keepMs: number,
    storedBytes?: number,
  ): Promise<void> {
    await run(
      this.redis,
      commands.endSession,
      [this.keys.hot(id), this.keys.parts(id)],
      [status, keepMs, storedBytes ?? ''],
    )
  }

  /** Ends an upload without stored bytes; false: bytes arrived meanwhile, or it is locked. */
  async endUnstored(id: string, status: 'expired' | 'cancelled', keepMs: number): Promise<boolean> {
    return (
      (await run(
        this.redis,
        commands.endUnstoredSession,
        [this.keys.hot(id), this.keys.due(id)],
        [id, status, keepMs],
      )) === 1
    )
  }

  /** Restores a lost or untrusted session from the store. With a fence: only if it is the holder's. */
  async restore(state: Restorable, parts: StoredPart[], fence: string | null): Promise<boolean> {
    const { id } = state.draft
    const fields = restoredFields(state, this.#runId.current)
    return (
      (await run(
        this.redis,
        commands.restoreSession,
        [this.keys.hot(id), this.keys.parts(id), this.keys.due(id)],
        [
          id,
          fence ?? '',
          this.#runId.current,
          state.expiresAtMs,
          state.offset,
          fields.length,
          ...fields,
          ...partFields(parts),
        ],
      )) === 1
    )
  }

  /** The saved parts, in order. */
  async parts(id: string): Promise<StoredPart[]> {
    return decodeParts(await viaRedis(this.redis.hgetall(this.keys.parts(id))))
  }

  /**
   * Ids with due work, oldest first; in a cluster one group after the other. For other processes, and after the death of this
   * one, they are due again at `againMs`.
   */
  async leaseDue(nowMs: number, limit: number, againMs: number): Promise<string[]> {
    const leased: string[] = []
    for (const list of this.keys.everyDue('due')) {
      if (leased.length === limit) break
      const args = [nowMs, limit - leased.length, againMs]
      leased.push(...((await run(this.redis, commands.leaseDue, [list], args)) as string[]))
    }
    return leased
  }

  /** The state of each session in the order of the ids; null: there is none. */
  async statusOfMany(ids: string[]): Promise<(string | null)[]> {
    const statuses = await askAll(
      this.redis,
      ids.map((id) => (to) => to.hget(this.keys.hot(id), SESSION_FIELDS.status)),
    )
    return statuses as (string | null)[]
  }

  async setDue(id: string, atMs: number | null): Promise<void> {
    await viaRedis(
      atMs === null ? this.redis.zrem(this.keys.due(id), id) : this.redis.zadd(this.keys.due(id), atMs, id),
    )
  }
}

/** The mark of a part in flight, which Redis timed, by the timer of this process, which nobody sets. */
function byTimer(mark: string | null, aheadMs: number): string | null {
  const [part, since] = (mark ?? '').split(':')
  return part === undefined || since === undefined ? null : `${part}:${Number(since) + aheadMs}`
}
