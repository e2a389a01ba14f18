// Live events: one Redis subscription per process, passed on to the listeners of a submission. A listener's
// buffer is bounded, and a subscription can be lost: both set `gap`, which tells the reader to read the log.

import type { Logger } from '../core/logger.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { channels } from '../records/keys.ts'
import { RESTORED } from './restore.ts'

/** Buffered events per listener; more are a gap. */
const BUFFER_EVENTS = 256

export type LiveSubscription = {
  /** Takes the buffered events. `gap`: events may be missing before them. */
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
      if (channel === channels.live) this.#deliver(message)
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

  /** `wake` is called when events are buffered; it must not throw. */
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

  /** Number of listeners, for tests and gauges. */
  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** False during a Redis outage: listeners wait, then read what they missed. */
  get subscribed(): boolean {
    return this.#subscribed
  }

  /** Stops listening; the owner of the connection closes it. */
  async close(): Promise<void> {
    this.#redis.off('message', this.#onMessage)
    this.#redis.off('ready', this.#onReady)
    this.#redis.off('close', this.#onClose)
    this.#listeners.clear()
    if (this.#redis.status === 'ready') await this.#redis.unsubscribe(channels.live)
  }

  // Events published between the loss of the connection and this answer are lost: every listener must read the log.
  // So must listeners that started before the first subscription.
  #subscribe(): void {
    this.#redis.subscribe(channels.live).then(
      () => {
        this.#subscribed = true
        this.#missed()
      },
      // The connection was lost again; its next `ready` subscribes again.
      (err: unknown) => this.#logger.warn({ err }, 'live events: subscribing failed'),
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
      this.#logger.error({ err }, 'live events: message is not JSON')
      return
    }
    for (const listener of this.#listeners.get(`${envelope.owner}/${envelope.submissionId}`) ?? []) {
      if (listener.events.length < BUFFER_EVENTS) listener.events.push(envelope)
      else listener.gap = true
      listener.wake()
    }
  }
}
