// From the event streams to webhook jobs: for every event one job per destination, and the event is done only once the
// job is queued. The streams are the outbox, so that a worker may die, or Redis refuse, at any point in between.
// Several workers share the work. A job's id follows from the event's: an event handed out twice is queued once.

import { faultPoint } from '../core/fault-points.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { redisKeys } from '../records/keys.ts'
import { envelopeOf } from './log.ts'
import { type StreamEntry, StreamGroup, WEBHOOK_GROUP } from './stream-group.ts'
import { notifyJobId, type Outbox, webhookOf } from './webhooks.ts'

export type DispatchDeps = Outbox & {
  /** For commands that answer at once. */
  redis: RedisConnection
  /** A connection of its own (role `subscriber`): it blocks while it waits for events, and is disconnected by `stop`. */
  reader: RedisConnection
  /** Unique per process: host, process id, and something random. */
  consumer: string
  /** Shorter ones for tests. */
  timing?: { takeOverMs?: number; sweepMs?: number; retryMs?: number }
}

const BLOCK_MS = 2000
const SWEEP_MS = 30_000
const AFTER_TROUBLE_MS = 1000
const RETRY_MS = 5000

export class WebhookDispatch {
  readonly #deps: DispatchDeps
  readonly #group: StreamGroup
  /** When to look at what is pending here: at once after a take-over, soon after trouble, else not. */
  #retryAtMs = 0
  #sweepAtMs = 0
  #stopping = false
  #wake: () => void = () => undefined
  #running: Promise<void> | undefined

  constructor(deps: DispatchDeps) {
    this.#deps = deps
    const { redis: commands, reader, consumer } = deps
    this.#group = new StreamGroup({ commands, reader, group: WEBHOOK_GROUP, consumer })
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends after the entry at hand; what is pending waits for another worker or the next start. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#deps.reader.disconnect()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#round()
      } catch (err) {
        if (this.#stopping) return
        // A Redis that came back empty has no group: it is made again, from the start of what is there now.
        this.#group.forget()
        this.#retryAtMs = 0
        this.#deps.logger.warn({ err }, 'webhooks: events wait')
        await this.#pause(AFTER_TROUBLE_MS)
      }
    }
  }

  async #round(): Promise<void> {
    const owners = await this.#deps.redis.smembers(redisKeys.owners)
    if (owners.length === 0) return await this.#pause(BLOCK_MS)
    const keys = owners.map(redisKeys.events)
    await this.#group.join(keys)
    const { takeOverMs, sweepMs = SWEEP_MS } = this.#deps.timing ?? {}
    if (performance.now() >= this.#sweepAtMs) {
      this.#sweepAtMs = performance.now() + sweepMs
      if (await this.#group.takeOver(keys, takeOverMs)) this.#retryAtMs = 0
    }
    if (performance.now() >= this.#retryAtMs) await this.#retryPending(keys)
    await this.#dispatchAll(await this.#group.next(keys, Math.min(BLOCK_MS, sweepMs)))
  }

  /** Goes once over everything pending here: one event that cannot be queued does not hold up the others. */
  async #retryPending(keys: string[]): Promise<void> {
    this.#retryAtMs = Number.POSITIVE_INFINITY
    for (const key of keys) {
      let after = '0'
      for (;;) {
        const entries = await this.#group.pending(key, after)
        const last = entries.at(-1)
        if (last === undefined) break
        after = last.id
        await this.#dispatchAll(entries)
      }
    }
  }

  async #dispatchAll(entries: StreamEntry[]): Promise<void> {
    const outcomes = await Promise.allSettled(entries.map((entry) => this.#dispatch(entry)))
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    if (failed.length === 0 || this.#stopping) return
    this.#retryAtMs = performance.now() + (this.#deps.timing?.retryMs ?? RETRY_MS)
    this.#deps.logger.warn({ err: failed[0]?.reason, events: failed.length }, 'webhooks: events wait')
    // Without a pause an outage of the queue would only pile up what is pending.
    await this.#pause(AFTER_TROUBLE_MS)
  }

  /** Queues one event and marks it done; throws where it is to be tried again. */
  async #dispatch(entry: StreamEntry): Promise<void> {
    const envelope = this.#envelope(entry)
    const webhook = envelope === undefined ? undefined : await webhookOf(this.#deps, envelope)
    if (webhook !== undefined)
      await this.#deps.queues.enqueue('notify', webhook, {
        jobId: notifyJobId(webhook.eventId, webhook.url),
      })
    faultPoint('notify.queued')
    await this.#group.done(entry)
  }

  #envelope({ key, id, fields }: StreamEntry): EventEnvelope | undefined {
    if (fields === null) {
      this.#deps.logger.error({ key, id }, 'webhooks: an event grew too old before it could be queued')
      return undefined
    }
    try {
      return envelopeOf([id, fields])
    } catch (err) {
      // It will be no better next time, and must not hold up the others.
      this.#deps.logger.error({ err, key, id }, 'webhooks: an entry that is no event')
      return undefined
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
