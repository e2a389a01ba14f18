// Upload sessions: offset, parts and lock of running uploads, one Redis hash each. Every change is one
// script that checks the fence. Redis decides the saved offset; the store can always be read to verify it.

import type { Clock } from '../core/clock.ts'
import { run, runMany } from '../core/lua-commands.ts'
import { type RedisConnection, type RunId, viaRedis } from '../core/redis.ts'
import * as commands from './commands.ts'
import { redisKeys } from './keys.ts'
import { personOf } from './person.ts'
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

/** An upload to forget; `person`: see personOf. */
export type Forgotten = { id: string; owner: string; person: string; fingerprintKeys: readonly string[] }

export const LEASE_MS = 15_000

export class UploadSessionStore {
  readonly redis: RedisConnection
  readonly #runId: RunId
  readonly #clock: Clock

  constructor(redis: RedisConnection, runId: RunId, clock: Clock) {
    this.redis = redis
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
    const joined = await run(
      this.redis,
      commands.createSession,
      [
        redisKeys.hot(draft.id),
        redisKeys.due,
        redisKeys.uploadsOf(draft.owner, draft.submissionId ?? ''),
        options.fingerprintKey ?? '',
        redisKeys.openOf(draft.owner, personOf(draft)),
      ],
      [
        draft.id,
        JSON.stringify(draft),
        options.size ?? '',
        options.expiresAtMs,
        options.partBytes,
        this.#runId.current,
        Date.parse(draft.createdAt),
        draft.submissionId ?? '',
        slotKey(draft),
        options.lock?.fence ?? '',
        options.lock?.channel ?? '',
        LEASE_MS,
        redisKeys.hot(''),
      ],
    )
    return { joined: typeof joined === 'string' && joined !== '' ? joined : null }
  }

  /** The upload that was last created, or restored, with this fingerprint in its slot. */
  async holderOfFingerprint(key: string): Promise<string | undefined> {
    return (await viaRedis(this.redis.get(key))) ?? undefined
  }

  async read(id: string): Promise<UploadSession | undefined> {
    const fields = await viaRedis(this.redis.hgetall(redisKeys.hot(id)))
    return fields[SESSION_FIELDS.draft] === undefined
      ? undefined
      : decodeSession(fields, this.#clock.now(), this.#runId.current)
  }

  async readMany(ids: string[]): Promise<(UploadSession | undefined)[]> {
    if (ids.length === 0) return []
    const pipeline = this.redis.pipeline()
    for (const id of ids) pipeline.hgetall(redisKeys.hot(id))
    return ((await viaRedis(pipeline.exec())) ?? []).map(([error, fields]) => {
      if (error) throw error
      return (fields as Record<string, string>)[SESSION_FIELDS.draft] === undefined
        ? undefined
        : decodeSession(fields as Record<string, string>, this.#clock.now(), this.#runId.current)
    })
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
      [redisKeys.hot(id)],
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
        [redisKeys.hot(id), redisKeys.parts(id), redisKeys.due],
        [id, fence, progress.offset, progress.expiresAtMs, LEASE_MS, fields.length, ...fields, ...parts],
      )) === 1
    )
  }

  /** Marks a part as in flight to S3 (`number:sinceMs`). False: the fence is lost. */
  async markInFlight(id: string, fence: string, partNumber: number): Promise<boolean> {
    return (await run(this.redis, commands.renewSession, [redisKeys.hot(id)], [fence, LEASE_MS, partNumber])) === 1
  }

  /** Declares a deferred length once. False: the fence is lost, or another length is declared. */
  async declareLength(id: string, fence: string, size: number): Promise<boolean> {
    return (await run(this.redis, commands.declareLength, [redisKeys.hot(id)], [fence, size])) === 1
  }

  /** Renews the leases of holders with slow clients. */
  async renew(held: Iterable<{ id: string; fence: string }>): Promise<void> {
    const calls = [...held].map(({ id, fence }) => ({ keys: [redisKeys.hot(id)], args: [fence, LEASE_MS, ''] }))
    await runMany(this.redis, commands.renewSession, calls)
  }

  /** Releases the lock, if it is still held by this fence. */
  async release(id: string, fence: string, clientGone = false): Promise<void> {
    await run(this.redis, commands.releaseSession, [redisKeys.hot(id)], [fence, clientGone ? 1 : 0])
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
      [redisKeys.hot(id), redisKeys.parts(id)],
      [status, keepMs, storedBytes ?? ''],
    )
  }

  /** Ends an upload without stored bytes; false: bytes arrived meanwhile, or it is locked. */
  async endUnstored(id: string, status: 'expired' | 'cancelled', keepMs: number): Promise<boolean> {
    return (
      (await run(this.redis, commands.endUnstoredSession, [redisKeys.hot(id), redisKeys.due], [id, status, keepMs])) ===
      1
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
        [redisKeys.hot(id), redisKeys.parts(id), redisKeys.due],
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

  /**
   * Forgets an upload that was erased, with what else Redis keeps under its id. Whoever holds it loses it: its next step
   * finds no session.
   */
  async forget({ id, owner, person, fingerprintKeys }: Forgotten): Promise<void> {
    const keys = [redisKeys.hot(id), redisKeys.parts(id), redisKeys.progress(id)]
    const pipeline = this.redis.pipeline().del(...keys, redisKeys.assembly(id), redisKeys.lostSince(id))
    pipeline.zrem(redisKeys.openOf(owner, person), id)
    for (const lane of ['validate', 'inspect', 'transcode']) pipeline.zrem(redisKeys.inLane(lane, owner, person), id)
    const holders = await Promise.all(fingerprintKeys.map((key) => this.holderOfFingerprint(key)))
    for (const [i, key] of fingerprintKeys.entries()) if (holders[i] === id) pipeline.del(key)
    for (const [error] of (await viaRedis(pipeline.exec())) ?? []) if (error) throw error
  }

  /** The saved parts, in order. */
  async parts(id: string): Promise<StoredPart[]> {
    return decodeParts(await viaRedis(this.redis.hgetall(redisKeys.parts(id))))
  }

  /** Ids with due work, oldest first. For other processes, and after the death of this one, they are due again at `againMs`. */
  async leaseDue(nowMs: number, limit: number, againMs: number): Promise<string[]> {
    return (await run(this.redis, commands.leaseDue, [redisKeys.due], [nowMs, limit, againMs])) as string[]
  }

  /** The state of each session in the order of the ids; null: there is none. */
  async statusOfMany(ids: string[]): Promise<(string | null)[]> {
    const pipeline = this.redis.pipeline()
    for (const id of ids) pipeline.hget(redisKeys.hot(id), SESSION_FIELDS.status)
    return ((await viaRedis(pipeline.exec())) ?? []).map(([error, status]) => {
      if (error) throw error
      return status as string | null
    })
  }

  async setDue(id: string, atMs: number | null): Promise<void> {
    await viaRedis(atMs === null ? this.redis.zrem(redisKeys.due, id) : this.redis.zadd(redisKeys.due, atMs, id))
  }
}

/** The mark of a part in flight, which Redis timed, by the timer of this process, which nobody sets. */
function byTimer(mark: string | null, aheadMs: number): string | null {
  const [part, since] = (mark ?? '').split(':')
  return part === undefined || since === undefined ? null : `${part}:${Number(since) + aheadMs}`
}
