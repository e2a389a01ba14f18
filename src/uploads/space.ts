// Room on the disk that nobody has been promised yet: uploads under way will bring what they declared. What is promised is
// counted from the uploads themselves, so that nothing can be promised for good.

import type { Clock } from '../core/clock.ts'
import type { RedisConnection } from '../core/redis.ts'
import { countOpenUploads } from '../records/open-uploads.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** Looked at once in so long: creations come by the thousand. */
const LOOK_EVERY_MS = 1000
/** Counting a hundred thousand uploads keeps Redis busy: looks are so much rarer as one takes, up to the longest pause. */
const LOOK_SHARE = 0.02
const LOOK_AT_LEAST_EVERY_MS = 10_000
/** What this process has promised is by then an upload that is counted. */
const CREATED_MS = 2000
/** An upload that brings nothing for so long holds no room: one page's abandoned films must not close a disk for days. */
const HOLD_MS = 3_600_000
/** Kept free for records, the embedded Redis and workers' scratch. */
const RESERVE_BYTES = 512 * 1024 ** 2

export type SpaceDeps = {
  store: Pick<ObjectStore, 'freeBytes'>
  redis: RedisConnection
  clock: Clock
  /** How long after its last byte an upload expires. */
  expiryMs: number
}

export class Space {
  readonly #deps: SpaceDeps
  /** Undefined: without end. */
  #room: number | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #lookAgainAtMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #promised: { atMs: number; bytes: number }[] = []
  #promisedBytes = 0

  constructor(deps: SpaceDeps) {
    this.#deps = deps
  }

  /**
   * Promises room for an upload that is about to be created; false: there is none. Other processes see it with their
   * next look. A bucket has room without end. Throws REDIS_UNAVAILABLE.
   */
  async promise(bytes: number): Promise<boolean> {
    // Intervals by the timer of the process: dates may leap. Nobody is refused by an old figure.
    const nowMs = performance.now()
    if (nowMs >= (this.#fits(bytes) ? this.#lookAgainAtMs : this.#lookedAtMs + LOOK_EVERY_MS)) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
      await this.#looking
    }
    if (this.#room === undefined) return true
    if (!this.#fits(bytes)) return false
    this.#promised.push({ atMs: performance.now(), bytes })
    this.#promisedBytes += bytes
    return true
  }

  #fits(bytes: number): boolean {
    return this.#room === undefined || this.#room - this.#promisedBytes - bytes >= RESERVE_BYTES
  }

  async #look(): Promise<void> {
    const { store, redis, clock, expiryMs } = this.#deps
    const startedMs = performance.now()
    const free = await store.freeBytes()
    const promised =
      free === undefined ? 0 : (await countOpenUploads(redis, clock.now() + expiryMs - HOLD_MS)).bytesPromised
    this.#room = free === undefined ? undefined : free - promised
    this.#promised = this.#promised.filter(({ atMs }) => atMs > startedMs - CREATED_MS)
    this.#promisedBytes = this.#promised.reduce((sum, one) => sum + one.bytes, 0)
    this.#lookedAtMs = startedMs
    const pauseMs = Math.max(LOOK_EVERY_MS, (performance.now() - startedMs) / LOOK_SHARE)
    this.#lookAgainAtMs = startedMs + Math.min(pauseMs, LOOK_AT_LEAST_EVERY_MS)
  }
}
