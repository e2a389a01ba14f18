// What changes with every byte: offset, parts and lock of a running upload, one Redis hash each. Every change is one
// script that checks the fence. Redis alone decides what counts; the store can always say what is there.

import type { Clock } from '../core/clock.ts'
import { run, runMany } from '../core/lua-commands.ts'
import { type RedisConnection, type RunId, viaRedis } from '../core/redis.ts'
import * as commands from './commands.ts'
import { redisKeys } from './keys.ts'
import {
  decodeParts,
  type Progress,
  partFields,
  progressFields,
  type Restorable,
  restoredFields,
} from './session-fields.ts'
import { SESSION_FIELDS } from './stored-fields.ts'
import type { StoredPart } from './upload-record.ts'
import { decodeSession, pairs, slotKey, type UploadDraft, type UploadSession } from './upload-session.ts'

export type AcquireOutcome =
  | {
      kind: 'acquired'
      state: UploadSession
      /** The last holder's channel, where it did not let go by itself. */
      formerHolder: string | null
    }
  | { kind: 'held'; state: UploadSession; fence: string; channel: string }
  | { kind: 'offset'; state: UploadSession }
  | { kind: 'ended'; state: UploadSession }
  /** The caller's ticket is for another place. */
  | { kind: 'scope' }
  | { kind: 'missing' }

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
   * Registers a new upload; no byte of it is stored yet. With a `fingerprintKey` that an unfinished upload already
   * holds, nothing is created and that upload's id comes back.
   */
  async create(
    draft: UploadDraft,
    options: {
      size: number | null
      expiresAtMs: number
      partBytes: number
      fingerprintKey?: string
      /** Locked from the start, for the request that creates it. */
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

  /** The upload that was last created, or restored, with this fingerprint in its place. */
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
   * Takes the lock for `fence` if nobody holds it. With `offset`, an upload that stands elsewhere is left alone:
   * only a request that goes on where the durable bytes end may disturb a holder. `steal` names the fence of a holder
   * that did not answer.
   */
  async acquire(
    id: string,
    fence: string,
    channel: string,
    options: { offset?: number; steal?: string; place?: string } = {},
  ): Promise<AcquireOutcome> {
    const askedOf = this.#runId.current
    const [kind, flat, extra, redisNow] = (await run(
      this.redis,
      commands.acquireSession,
      [redisKeys.hot(id)],
      [fence, channel, LEASE_MS, options.offset ?? '', options.steal ?? '', this.#runId.current, options.place ?? ''],
    )) as [string, string[]?, string?, string?]
    if (kind === 'missing' || flat === undefined) return { kind: 'missing' }
    if (kind === 'scope') return { kind }
    const state = decodeSession(pairs(flat), this.#clock.now(), this.#runId.current)
    if (kind === 'held') {
      const { fence: held = '', channel: where = '' } = state.holder ?? {}
      return { kind, state, fence: held, channel: where }
    }
    // Asked of one Redis, answered by its successor: it compared with what must not be believed.
    if (kind === 'offset' && askedOf !== this.#runId.current) return this.acquire(id, fence, channel, options)
    if (kind === 'offset' || kind === 'ended') return { kind, state }
    state.inFlight = byTimer(state.inFlight, performance.now() - Number(redisNow))
    return { kind: 'acquired', state, formerHolder: extra === undefined || extra === '' ? null : extra }
  }

  /** Moves the durable offset forward. False: another request has taken over, or the upload has ended. */
  async saveProgress(id: string, fence: string, progress: Progress): Promise<boolean> {
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

  /** Marks a part as on its way to S3 (`number:sinceMs`). False: the fence is no longer mine. */
  async markInFlight(id: string, fence: string, partNumber: number): Promise<boolean> {
    return (await run(this.redis, commands.renewSession, [redisKeys.hot(id)], [fence, LEASE_MS, partNumber])) === 1
  }

  /** Declares a deferred length once. False: fence lost, or another length stands. */
  async declareLength(id: string, fence: string, size: number): Promise<boolean> {
    return (await run(this.redis, commands.declareLength, [redisKeys.hot(id)], [fence, size])) === 1
  }

  /** Keeps the lease of a holder that waits for a slow client. */
  async renew(held: Iterable<{ id: string; fence: string }>): Promise<void> {
    const calls = [...held].map(({ id, fence }) => ({ keys: [redisKeys.hot(id)], args: [fence, LEASE_MS, ''] }))
    await runMany(this.redis, commands.renewSession, calls)
  }

  /** Lets go of the lock, if it is still this fence's. */
  async release(id: string, fence: string): Promise<void> {
    await run(this.redis, commands.releaseSession, [redisKeys.hot(id)], [fence])
  }

  /**
   * Ends an upload as its record says: its lock is void, its offset can no longer move. `storedBytes` where all of it
   * is stored.
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

  /** Ends an upload of which nothing is stored; false: bytes arrived meanwhile, or somebody holds it. */
  async endUnstored(id: string, status: 'expired' | 'cancelled', keepMs: number): Promise<boolean> {
    return (
      (await run(this.redis, commands.endUnstoredSession, [redisKeys.hot(id), redisKeys.due], [id, status, keepMs])) ===
      1
    )
  }

  /** Puts back what the store knows, when Redis has lost it or is of another run. Under a fence: only the holder may. */
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

  /** Parts committed so far, in order. */
  async parts(id: string): Promise<StoredPart[]> {
    return decodeParts(await viaRedis(this.redis.hgetall(redisKeys.parts(id))))
  }

  /** Ids on which something is due by now, oldest first. */
  async due(nowMs: number, limit: number): Promise<string[]> {
    return await viaRedis(this.redis.zrangebyscore(redisKeys.due, '-inf', nowMs, 'LIMIT', 0, limit))
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
