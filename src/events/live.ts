// Events as they happen: one Redis subscription per process, handed on to whoever listens to a submission. A listener's
// buffer is bounded, and a lost subscription is not hidden: both end in `gap`, which tells the reader to ask the log.

import type { Logger } from '../core/logger.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { redisKeys } from '../records/keys.ts'
import { RESTORED } from './restore.ts'

/** So many events wait for a reader that is busy writing; more are a gap. */
export const BUFFER_EVENTS = 256

export type LiveSubscription = {
  /** Takes what has arrived. `gap`: something may be missing between what was taken before and this. */
  take(): { events: EventEnvelope[]; gap: boolean }
  close(): void
}

type Listener = { events: EventEnvelope[]; gap: boolean; wake: () => void }

export class LiveEvents {
  readonly #redis: RedisConnection
  readonly #logger: Logger
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #onMessage: (channel: string, message: string) => void
  readonly #onReady: () => void
  readonly #onClose: () => void
  #subscribed = false

  /** `redis` is a connection of the role `subscriber`; it may carry other channels too. */
  constructor(redis: RedisConnection, logger: Logger) {
    this.#redis = redis
    this.#logger = logger
    this.#onMessage = (channel, message) => {
      if (channel === redisKeys.live) this.#deliver(message)
    }
    this.#onReady = () => this.#subscribe()
    this.#onClose = () => {
      this.#subscribed = false
    }
    redis.on('message', this.#onMessage)
    redis.on('ready', this.#onReady)
    redis.on('close', this.#onClose)
    if (redis.status === 'ready') this.#subscribe()
  }

  /** `wake` is called when there is something to take; it must not throw. */
  listen(owner: string, submissionId: string, wake: () => void): LiveSubscription {
    const key = `${owner}/${submissionId}`
    const listener: Listener = { events: [], gap: false, wake }
    const all = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, all.add(listener))
    return {
      take: () => {
        const taken = { events: listener.events, gap: listener.gap }
        listener.events = []
        listener.gap = false
        return taken
      },
      close: () => {
        all.delete(listener)
        if (all.size === 0 && this.#listeners.get(key) === all) this.#listeners.delete(key)
      },
    }
  }

  /** Listeners at this moment, for tests and gauges. */
  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** False while Redis is away: listeners then wait, and look up what they missed. */
  get subscribed(): boolean {
    return this.#subscribed
  }

  /** Stops listening; the connection is its owner's to close. */
  async close(): Promise<void> {
    this.#redis.off('message', this.#onMessage)
    this.#redis.off('ready', this.#onReady)
    this.#redis.off('close', this.#onClose)
    this.#listeners.clear()
    if (this.#redis.status === 'ready') await this.#redis.unsubscribe(redisKeys.live)
  }

  // Whatever was published between the loss of a connection and this answer is lost: every listener must look it up.
  // So must those that began to listen before the first subscription stood.
  #subscribe(): void {
    this.#redis.subscribe(redisKeys.live).then(
      () => {
        this.#subscribed = true
        this.#missed()
      },
      // The connection was lost again; its next `ready` subscribes again.
      (err: unknown) => this.#logger.warn({ err }, 'live events: not subscribed'),
    )
  }

  #missed(): void {
    for (const listeners of this.#listeners.values())
      for (const listener of listeners) {
        listener.gap = true
        listener.wake()
      }
  }

  #deliver(message: string): void {
    if (this.#listeners.size === 0) return
    if (message === RESTORED) {
      this.#missed()
      return
    }
    let envelope: EventEnvelope
    try {
      envelope = JSON.parse(message) as EventEnvelope
    } catch (err) {
      this.#logger.error({ err }, 'live events: a message is no JSON')
      return
    }
    for (const listener of this.#listeners.get(`${envelope.owner}/${envelope.submissionId}`) ?? []) {
      if (listener.events.length < BUFFER_EVENTS) listener.events.push(envelope)
      else listener.gap = true
      listener.wake()
    }
  }
}
