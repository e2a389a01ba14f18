// Revocation of sessions, and of tickets and links that they asked for. Every process remembers a submission's revocations
// for some seconds, so that a PATCH costs no command in Redis for them; a message between processes ends that at once, and
// open requests with it.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError, hasCode } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { LruCache } from '../core/lru.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { channels } from '../records/keys.ts'
import { type Issued, isRevoked, type Revocation, type RevocationList, withRevocation } from '../records/revocations.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'

/** Within this time a revocation is noticed where its message was lost. */
const REMEMBERED_MS = 5000
/** The same for requests that are open. */
const SWEEP_MS = 30_000
const REMEMBERED = 5000

type Known = { list: RevocationList | undefined; untilMs: number }
type Watcher = { issued: Issued; end: () => void }

export type RevocationDeps = {
  heads: Pick<SubmissionHeads, 'latest' | 'fromStore' | 'commit'>
  /** `producer` publishes and fails at once, `subscriber` listens. */
  redis: { producer: RedisConnection; subscriber: RedisConnection }
  clock: Clock
  logger: Logger
}

export class Revocations {
  readonly #deps: RevocationDeps
  readonly #known = new LruCache<string, Known>(REMEMBERED)
  /** By submission: requests that are open. */
  readonly #watchers = new Map<string, Set<Watcher>>()
  readonly #sweep: NodeJS.Timeout
  #looking = false
  #again = false
  readonly #onMessage = (channel: string, message: string) => {
    if (channel === channels.revoked) this.#changed(message)
  }
  readonly #onReady = () => this.#subscribe()

  constructor(deps: RevocationDeps) {
    this.#deps = deps
    const { subscriber } = deps.redis
    subscriber.on('message', this.#onMessage)
    subscriber.on('ready', this.#onReady)
    if (subscriber.status === 'ready') this.#subscribe()
    this.#sweep = setInterval(() => void this.#lookAtAll(), SWEEP_MS).unref()
  }

  /** Whether it was revoked. Throws STORE_UNAVAILABLE. */
  async isRevoked(issued: Issued): Promise<boolean> {
    const key = keyOf(issued)
    const known = this.#known.get(key)
    if (known !== undefined && known.untilMs > performance.now()) return isRevoked(issued, known.list)
    const readAtMs = performance.now()
    const list = await this.#read(issued)
    // A message that came meanwhile is about what was perhaps not read yet.
    if (this.#known.get(key) === known) this.#known.set(key, { list, untilMs: readAtMs + REMEMBERED_MS })
    return isRevoked(issued, list)
  }

  /**
   * Calls `end` once, when it is revoked while a request is open. `end` must not throw.
   *
   * @returns a function that ends the watch
   */
  watch(issued: Issued, end: () => void): () => void {
    const key = keyOf(issued)
    const watcher: Watcher = { issued, end }
    const all = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, all.add(watcher))
    // It may have been revoked since the request was let in.
    const known = this.#known.get(key)
    if (known === undefined || known.untilMs === 0) void this.#look(key)
    return () => {
      all.delete(watcher)
      if (all.size === 0 && this.#watchers.get(key) === all) this.#watchers.delete(key)
    }
  }

  /**
   * Revokes. Durable in the store when it resolves, and idempotent.
   *
   * @throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, REVOCATIONS_LIMIT
   */
  async revoke(owner: string, submissionId: string, what: Revocation): Promise<void> {
    const { heads, clock, redis, logger } = this.#deps
    await heads.commit(owner, submissionId, (current) => {
      if (current === undefined) throw new AppError('SUBMISSION_UNKNOWN')
      if (current.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
      // No event: nothing of the submission changed.
      return { ...current, event: null, revocations: withRevocation(current.revocations, what, isoTime(clock.now())) }
    })
    const key = `${owner}/${submissionId}`
    this.#changed(key)
    await viaRedis(redis.producer.publish(channels.revoked, key)).catch((err: unknown) =>
      logger.warn({ err }, `revocation was not told to other processes; they notice within ${SWEEP_MS} ms`),
    )
  }

  close(): void {
    const { subscriber } = this.#deps.redis
    clearInterval(this.#sweep)
    subscriber.off('message', this.#onMessage)
    subscriber.off('ready', this.#onReady)
    this.#watchers.clear()
  }

  async #read({ owner, submission }: Pick<Issued, 'owner' | 'submission'>): Promise<RevocationList | undefined> {
    const { heads, redis } = this.#deps
    try {
      if (redis.producer.status === 'ready') return (await heads.latest(owner, submission))?.revocations
    } catch (error) {
      // It may be connected and not answer.
      if (!hasCode(error, 'REDIS_UNAVAILABLE')) throw error
    }
    // During an outage of Redis links go on: the store has it too.
    return (await heads.fromStore(owner, submission))?.revocations
  }

  // Messages that were published between the loss of the connection and this answer are lost.
  #subscribe(): void {
    this.#deps.redis.subscriber.subscribe(channels.revoked).then(
      () => void this.#lookAtAll(),
      // The connection was lost again; its next `ready` subscribes again.
      (err: unknown) => this.#deps.logger.warn({ err }, 'revocations: subscribing failed'),
    )
  }

  /** One submission after another: with thousands of slow uploads this must not keep others from being served. */
  async #lookAtAll(): Promise<void> {
    // In an outage one round takes long: the next begins when it is over, and not beside it.
    this.#again = true
    if (this.#looking) return
    this.#looking = true
    while (this.#again) {
      this.#again = false
      for (const key of [...this.#watchers.keys()]) {
        this.#forget(key)
        await this.#look(key)
      }
    }
    this.#looking = false
  }

  #forget(key: string): void {
    this.#known.set(key, { list: undefined, untilMs: 0 })
  }

  #changed(key: string): void {
    this.#forget(key)
    if (this.#watchers.has(key)) void this.#look(key)
  }

  /** Ends the open requests of a submission that are revoked. */
  async #look(key: string): Promise<void> {
    for (const watcher of [...(this.#watchers.get(key) ?? [])]) {
      try {
        if (!(await this.isRevoked(watcher.issued))) continue
        if (this.#watchers.get(key)?.delete(watcher) === true) watcher.end()
      } catch (err) {
        this.#deps.logger.warn({ err }, 'revocations cannot be read; open requests go on until the next look')
        return
      }
    }
  }
}

function keyOf({ owner, submission }: Pick<Issued, 'owner' | 'submission'>): string {
  return `${owner}/${submission}`
}
