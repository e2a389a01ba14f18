// From the event streams to webhook jobs: one job per event and destination. An event is done only after its
// job is queued. The streams are the outbox, so a worker may die, or Redis fail, at any point.
// Several workers share the work. The job id is derived from the event id: a repeated event is queued once.

import { faultPoint } from '../core/fault-points.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { redisKeysOf } from '../records/keys.ts'
import { STREAM_FIELDS } from '../records/stored-fields.ts'
import { envelopeOf } from './log.ts'
import { type StreamEntry, StreamGroup, WEBHOOK_GROUP } from './stream-group.ts'
import { notifyJobId, type Outbox, webhookOf } from './webhooks.ts'

export type DispatchDeps = Outbox & {
  /** For non-blocking commands. */
  redis: RedisConnection
  /** A separate connection (role `subscriber`): it blocks while waiting for events, and `stop` disconnects it. */
  reader: RedisConnection
  /** Unique per process: host, process id and a random part. */
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
  /** When to retry pending entries: at once after a take-over, soon after an error, else never. */
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

  /** Stops after the current entry; pending entries wait for another worker or the next start. */
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
        // After a loss of Redis there is no group: it is created again, from the start of the stream.
        this.#group.forget()
        this.#retryAtMs = 0
        this.#deps.logger.warn({ err }, 'webhooks: dispatch failed; events wait and are retried')
        await this.#pause(AFTER_TROUBLE_MS)
      }
    }
  }

  async #round(): Promise<void> {
    const owners = await this.#deps.redis.smembers(redisKeysOf(this.#deps.redis).owners)
    if (owners.length === 0) return await this.#pause(BLOCK_MS)
    const keys = owners.map(redisKeysOf(this.#deps.redis).events)
    await this.#group.join(keys)
    const { takeOverMs, sweepMs = SWEEP_MS } = this.#deps.timing ?? {}
    if (performance.now() >= this.#sweepAtMs) {
      this.#sweepAtMs = performance.now() + sweepMs
      if (await this.#group.takeOver(keys, takeOverMs)) this.#retryAtMs = 0
    }
    if (performance.now() >= this.#retryAtMs) await this.#retryPending(keys)
    await this.#dispatchAll(await this.#group.next(keys, Math.min(BLOCK_MS, sweepMs)))
  }

  /** Tries every pending entry once: one event that cannot be queued does not block the others. */
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
    const outcomes = await Promise.allSettled(this.#inOrder(entries))
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    if (failed.length === 0 || this.#stopping) return
    this.#retryAtMs = performance.now() + (this.#deps.timing?.retryMs ?? RETRY_MS)
    this.#deps.logger.warn(
      { err: failed[0]?.reason, events: failed.length },
      'webhooks: dispatch failed; events wait and are retried',
    )
    // Pause, or an outage of the queue would only increase the number of pending entries.
    await this.#pause(AFTER_TROUBLE_MS)
  }

  /** Queues them side by side, but those of one submission one after the other. */
  #inOrder(entries: StreamEntry[]): Promise<void>[] {
    const last = new Map<string, Promise<void>>()
    return entries.map((entry) => {
      const submission = `${entry.key} ${submissionOf(entry)}`
      // One that fails is reported with its own result; the next does not wait for its retry.
      const before = last.get(submission)?.catch(() => undefined) ?? Promise.resolve()
      const mine = before.then(() => this.#dispatch(entry))
      last.set(submission, mine)
      return mine
    })
  }

  /** Queues one event and marks it done; throws if it must be retried. */
  async #dispatch(entry: StreamEntry): Promise<void> {
    const envelope = this.#envelope(entry)
    const webhook = envelope === undefined ? undefined : await webhookOf(this.#deps, envelope)
    if (webhook !== undefined)
      await this.#deps.queues.enqueue('notify', webhook, {
        jobId: notifyJobId(webhook.eventId, webhook.url),
        trace: envelope?.trace,
      })
    faultPoint('notify.queued')
    await this.#group.done(entry)
  }

  #envelope({ key, id, fields }: StreamEntry): EventEnvelope | undefined {
    if (fields === null) {
      this.#deps.logger.error({ key, id }, 'webhooks: event expired before it could be queued')
      return undefined
    }
    try {
      return envelopeOf([id, fields])
    } catch (err) {
      // A retry would fail again; it must not block the others.
      this.#deps.logger.error({ err, key, id }, 'webhooks: stream entry is not an event')
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

/** Empty for an entry that has expired. */
function submissionOf({ fields }: StreamEntry): string {
  const at = fields?.indexOf(STREAM_FIELDS.submissionId) ?? -1
  return at < 0 ? '' : (fields?.[at + 1] ?? '')
}
