// Room on the disk that nobody has been promised yet: uploads under way will bring what they declared. What is promised is
// counted from the uploads themselves, so that nothing can be promised for good.

import type { Clock } from '../core/clock.ts'
import type { RedisConnection } from '../core/redis.ts'
import { countOpenUploads } from '../records/open-uploads.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** Looked at once in so long: creations come by the thousand. */
const LOOK_EVERY_MS = 1000
/** What this process has promised is by then an upload that is counted. */
const CREATED_MS = 2000
/** Kept free for records, the embedded Redis and workers' scratch. */
const RESERVE_BYTES = 512 * 1024 ** 2

export class Space {
  readonly #store: Pick<ObjectStore, 'freeBytes'>
  readonly #redis: RedisConnection
  readonly #clock: Clock
  #room: number | undefined
  #lookedAtMs = 0
  #looking: Promise<void> | undefined
  #promised: { atMs: number; bytes: number }[] = []

  constructor(deps: { store: Pick<ObjectStore, 'freeBytes'>; redis: RedisConnection; clock: Clock }) {
    this.#store = deps.store
    this.#redis = deps.redis
    this.#clock = deps.clock
  }

  /**
   * Promises room for an upload that is about to be created; false: there is none. Other processes see it within a
   * second. A bucket has room without end. Throws REDIS_UNAVAILABLE.
   */
  async promise(bytes: number): Promise<boolean> {
    if (this.#clock.now() - this.#lookedAtMs > LOOK_EVERY_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
      await this.#looking
    }
    if (this.#room === undefined) return true
    const promised = this.#promised.reduce((sum, one) => sum + one.bytes, 0)
    if (this.#room - promised - bytes < RESERVE_BYTES) return false
    this.#promised.push({ atMs: this.#clock.now(), bytes })
    return true
  }

  async #look(): Promise<void> {
    const startedMs = this.#clock.now()
    const free = await this.#store.freeBytes()
    this.#room = free === undefined ? undefined : free - (await countOpenUploads(this.#redis)).bytesLeft
    this.#promised = this.#promised.filter(({ atMs }) => atMs > startedMs - CREATED_MS)
    this.#lookedAtMs = startedMs
  }
}
