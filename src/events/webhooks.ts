// One event as a webhook: its destination, its job, and the delivery note in the store.
// The queue is in Redis and may be lost; the notes tell the re-queueing which webhooks were delivered.

import { createHash } from 'node:crypto'
import type { Logger } from '../core/logger.ts'
import type { NotifyJob } from '../jobs/contract.ts'
import type { Queues } from '../jobs/queues.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { ObjectStore } from '../storage/object-store.ts'

export type Outbox = {
  heads: Pick<SubmissionHeads, 'latest'>
  queues: Pick<Queues, 'enqueue'>
  webhooks: { url: string | undefined; secrets: readonly string[] }
  logger: Logger
}

/** The webhook to post; undefined: no destination, or no secret to sign with. */
export async function webhookOf(
  { webhooks, heads, logger }: Pick<Outbox, 'heads' | 'webhooks' | 'logger'>,
  { owner, submissionId, body }: EventEnvelope,
): Promise<NotifyJob | undefined> {
  const head = await heads.latest(owner, submissionId)
  // Its address is erased with it, and who deleted it knows.
  if (head?.state === 'deleted') return undefined
  const url = head?.callbackUrl ?? webhooks.url
  if (url === undefined) return undefined
  if (webhooks.secrets.length > 0)
    return { owner, url, eventId: body.id, timestamp: body.timestamp, body: JSON.stringify(body) }
  logger.error({ owner, submissionId }, 'webhooks: callbackUrl is set, but WEBHOOK_SECRET is not; nothing is sent')
  return undefined
}

/** One job per event and address; BullMQ forbids colons in ids. */
export function notifyJobId(eventId: string, url: string): string {
  const address = createHash('sha256').update(url).digest('hex').slice(0, 12)
  return `notify-${eventId.replaceAll(':', '%3A')}-${address}`
}

/** Delivery notes in the store, kept a little longer than events. */
export class Deliveries {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  async has(webhook: NotifyJob): Promise<boolean> {
    return (await this.#store.head(keyOf(webhook))) !== undefined
  }

  /** `at`: RFC 3339. Idempotent. */
  async note(webhook: NotifyJob, at: string): Promise<void> {
    await this.#store.createIfAbsent(keyOf(webhook), Buffer.from(JSON.stringify({ deliveredAt: at })))
  }

  /** Job ids of delivered webhooks, for events since a time. */
  async since(owner: string, sinceMs: number): Promise<Set<string>> {
    const prefix = objectKeys.deliveries(owner)
    const ids = new Set<string>()
    for await (const { key } of this.#store.list(prefix, prefix + dayOf(new Date(sinceMs).toISOString())))
      ids.add(key.slice(key.lastIndexOf('/') + 1))
    return ids
  }

  /** Removes the notes of events before the day of a time. @returns how many */
  async forget(owner: string, beforeMs: number): Promise<number> {
    const prefix = objectKeys.deliveries(owner)
    const end = prefix + dayOf(new Date(beforeMs).toISOString())
    let removed = 0
    for await (const { key } of this.#store.list(prefix)) {
      if (key >= end) break
      await this.#store.remove(key)
      removed++
    }
    return removed
  }
}

function keyOf({ owner, timestamp, eventId, url }: NotifyJob): string {
  return objectKeys.delivery(owner, dayOf(timestamp), notifyJobId(eventId, url))
}

function dayOf(timestamp: string): string {
  return timestamp.slice(0, 10)
}
