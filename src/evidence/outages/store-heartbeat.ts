// Every service writes into the store that it is alive, and what it cannot do. What no service wrote is an outage, also where none
// was there to note it: the log of an earlier process is read before it is written over, and goes on.

import type { Clock } from '../../core/clock.ts'
import { runEvery } from '../../core/every.ts'
import type { Logger } from '../../core/logger.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import { objectKeys } from '../../records/keys.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type AliveLog, decodeLog, encodeLog, joined, type Lack, newLog, noted, worse } from './alive-log.ts'
import { type ExamineDeps, examine, type OutageTimes } from './examine.ts'
import type { FleetLogs } from './fleet-logs.ts'

/** Looks at all logs: after so many writes. */
const EXAMINE_EVERY = 6
/** An ending process waits so long for its last word. */
const LAST_WORD_MS = 1000

export type StoreHeartbeatDeps = Omit<ExamineDeps, 'store' | 'logs'> & {
  store: Pick<ObjectStore, 'createIfAbsent' | 'replace' | 'read' | 'remove'>
  logs: Pick<FleetLogs, 'all' | 'list'>
  clock: Clock
  logger: Logger
  /** Name of this service among all. */
  instance: string
  times: OutageTimes
  /** Whether a process listens; one that does not is not alive for anybody. */
  isServing: () => boolean
  takesCreations: () => boolean
  isRedisUp: () => Promise<boolean>
}

export class StoreHeartbeat {
  readonly #deps: StoreHeartbeatDeps
  readonly #key: string
  #log: AliveLog
  /** The log of the process before has been read. */
  #isJoined = false
  #isThere = false
  #redisUp = true
  #storeUp = true
  /** A write that runs, since when (monotonic milliseconds). */
  #writing: Promise<void> | undefined
  #writingSinceMs = 0
  #untilExamine = 3
  #examining: Promise<void> | undefined
  #stop: () => void = () => undefined
  #isStopped = false

  constructor(deps: StoreHeartbeatDeps) {
    this.#deps = deps
    this.#key = objectKeys.heartbeat(deps.instance)
    this.#log = newLog(deps.instance)
  }

  /** Writes now, and every `beatMs`. */
  start(): void {
    this.#stop = runEvery(
      this.#deps.times.beatMs,
      () => this.beat(),
      (err) => this.#deps.logger.warn({ err }, 'the heartbeat failed; retrying'),
    )
  }

  /** Stops, after a last word: from then on this service is not alive. Never rejects. */
  async stop(): Promise<void> {
    this.#stop()
    this.#isStopped = true
    if (this.#deps.isServing()) this.#note()
    const last = (this.#writing ?? Promise.resolve()).then(() => this.#write())
    await withTimeout(last, LAST_WORD_MS, () => undefined)
    await withTimeout(this.#examining ?? Promise.resolve(), LAST_WORD_MS, () => undefined)
  }

  /** One beat. Waits for Redis for a moment and for the store not at all: a store that hangs must not look like a service that does. */
  async beat(): Promise<void> {
    const { isRedisUp, isServing, times } = this.#deps
    this.#redisUp = await isRedisUp()
    if (this.#isStopped || !isServing()) return
    if (this.#writing !== undefined && performance.now() - this.#writingSinceMs > times.beatMs) this.#storeUp = false
    this.#note()
    if (this.#writing !== undefined) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
    })
    if (--this.#untilExamine > 0) return
    this.#untilExamine = EXAMINE_EVERY
    this.#examining ??= this.#writing
      .then(() => this.examine())
      .catch((err: unknown) => this.#deps.logger.warn({ err }, 'outages could not be looked for; retrying'))
      .finally(() => {
        this.#examining = undefined
      })
  }

  /** Waits for what runs. */
  async settled(): Promise<void> {
    await this.#writing
    await this.#examining
  }

  /** Looks for outages, if this service is the first of those that are alive: one does it for all. */
  async examine(): Promise<void> {
    const { clock, logs, times } = this.#deps
    if (!this.#storeUp || !this.#isThere) return
    const found = await logs.list()
    const own = found.find(({ key }) => key === this.#key)
    const isFresh = (writtenAtMs: number) => writtenAtMs > (own?.writtenAtMs ?? 0) - 3 * times.beatMs
    if (found.find(({ writtenAtMs }) => isFresh(writtenAtMs))?.key !== this.#key) return
    const examinedToMs = await examine(this.#deps, this.#key, clock.now(), times)
    if (examinedToMs !== null) this.#log = { ...this.#log, examinedToMs }
  }

  #note(): void {
    const { clock, takesCreations, times } = this.#deps
    this.#log = noted(this.#log, clock.now(), this.#lacks(takesCreations()), times.leastMs)
  }

  #lacks(takesCreations: boolean): Lack | null {
    const lacks: Lack | null = takesCreations ? null : 'creations'
    return worse(worse(lacks, this.#redisUp ? null : 'redis'), this.#storeUp ? null : 'store')
  }

  /** Never rejects: what could not be written goes with the next one, since the log says all. */
  async #write(): Promise<void> {
    this.#writingSinceMs = performance.now()
    const { store, logger } = this.#deps
    try {
      if (!this.#isJoined) await this.#join()
      const body = encodeLog(this.#log)
      if (this.#isThere || !(await store.createIfAbsent(this.#key, body))) await store.replace(this.#key, body)
      this.#isThere = true
      this.#storeUp = true
    } catch (err) {
      if (this.#storeUp) logger.warn({ err }, 'the heartbeat cannot be written into the store; retrying')
      this.#storeUp = false
      // The next one finds out.
      this.#isThere = false
    }
  }

  async #join(): Promise<void> {
    const { store, logger } = this.#deps
    const body = await store.read(this.#key)
    if (body !== undefined) {
      try {
        this.#log = joined(decodeLog(body), this.#log)
      } catch (err) {
        logger.warn({ err, key: this.#key }, 'the heartbeat of the process before cannot be read; it begins anew')
      }
    }
    this.#isJoined = true
  }
}
