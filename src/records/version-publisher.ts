// Tells Redis of committed versions: the cache, the lists, and the event, which is published once and in order. Two commands,
// because in a cluster an upload and the events of its portal are on different nodes.

import type { Clock } from '../core/clock.ts'
import { type LuaCall, run, runInOrder } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { RunId } from '../core/run-id.ts'
import * as commands from './commands.ts'
import type { SubmissionEventRecord } from './event-body.ts'
import { type RedisKeys, redisKeysOf } from './keys.ts'
import type { Applied, Published } from './publish-in-order.ts'

export const CACHE_TTL_MS = 8 * 86_400_000

export class VersionPublisher {
  readonly #redis: RedisConnection
  readonly #keys: RedisKeys
  readonly #runId: RunId
  readonly #clock: Clock

  constructor(redis: RedisConnection, runId: RunId, clock: Clock) {
    this.#redis = redis
    this.#keys = redisKeysOf(redis)
    this.#runId = runId
    this.#clock = clock
  }

  /** Makes a committed version visible and publishes its event. Idempotent per version. */
  async version(applied: Applied): Promise<Published> {
    const { cacheKey, version, upload } = applied
    // First, so that a submission that can be read is in the list, wherever this process dies.
    const list = { ...applied, announce: false, announcedBefore: false, announcedNow: false }
    const place = upload !== undefined ? 'move' : applied.gone === true ? 'remove' : 'keep'
    const [isNew, published] = (
      await runInOrder(this.#redis, [
        ...(upload === undefined && applied.gone !== true ? [this.#publishing(list, 'put')] : []),
        this.#applying(applied),
        this.#publishing(applied, place),
      ])
    ).slice(-2) as [0 | 1, Published]
    // Last: should this process die before, the reconciler finds the upload and tells of it.
    const isTold = published === 'ok' || published === 'old'
    if (isNew === 1 && isTold && upload?.dueAtMs === null)
      await run(this.#redis, commands.settleUpload, [cacheKey, this.#keys.due(upload.id)], [version, upload.id])
    return published
  }

  #applying({ cacheKey, owner, submissionId, upload, version, json, cacheMs, fingerprintKey }: Applied): LuaCall {
    const due = upload === undefined ? cacheKey : this.#keys.due(upload.id)
    const list = upload === undefined || submissionId === null ? cacheKey : this.#keys.uploadsOf(owner, submissionId)
    return {
      command: commands.applyVersion,
      keys: [cacheKey, due, list, fingerprintKey ?? cacheKey],
      args: [
        version,
        this.#runId.current,
        json,
        cacheMs ?? CACHE_TTL_MS,
        upload?.id ?? '',
        upload?.createdAtMs ?? '',
        upload?.dueAtMs ?? '',
      ],
    }
  }

  /** @param place what becomes of the submission's place in the list: see publish-version.lua */
  #publishing(applied: Applied, place: 'put' | 'move' | 'remove' | 'keep'): LuaCall {
    const { cacheKey, owner } = applied
    const submissionId = applied.submissionId ?? ''
    return {
      command: commands.publishVersion,
      keys: [
        this.#keys.published(cacheKey),
        this.#keys.submissionsOf(owner),
        this.#keys.events(owner),
        this.#keys.submissionEvents(owner, submissionId),
        this.#keys.owners,
      ],
      args: [
        applied.version,
        applied.announce ? '1' : '0',
        owner,
        submissionId,
        applied.event ?? '',
        place,
        applied.committedAtMs ?? this.#clock.now(),
        applied.announcedNow === true ? '2' : applied.announcedBefore === true ? '1' : '0',
        applied.earlierAnnounced === true ? '1' : '0',
        this.#clock.now(),
        applied.cacheMs ?? CACHE_TTL_MS,
      ],
    }
  }

  /**
   * Applies a record of the submission event log. Idempotent per version. With `announce` its event is published once. Without it,
   * `young` events are left to their publisher.
   */
  async event(
    owner: string,
    submissionId: string,
    { version, complete, sequence, envelope }: SubmissionEventRecord,
    announce: boolean,
    { young = false, earlierAnnounced = false } = {},
  ): Promise<Published> {
    const key = this.#keys.sequence(owner, submissionId)
    const published = (await run(
      this.#redis,
      commands.publishSubmissionEvent,
      [this.#keys.published(key), this.#keys.events(owner), this.#keys.submissionEvents(owner, submissionId)],
      [
        version,
        JSON.stringify(envelope),
        announce ? '1' : '0',
        young ? '0' : '1',
        this.#clock.now(),
        submissionId,
        earlierAnnounced ? '1' : '0',
      ],
    )) as Published
    // After the event: whoever finds this noted does not publish it.
    if (published === 'ok' || published === 'old')
      await run(this.#redis, commands.noteCompleteness, [key], [complete ? '1' : '0', sequence])
    return published
  }
}
