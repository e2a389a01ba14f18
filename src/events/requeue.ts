// Re-queues webhooks that were lost with the queue: all events of a portal's log without a recorded delivery.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'
import { envelopeOf } from './log.ts'
import { type Deliveries, notifyJobId, type Outbox, webhookOf } from './webhooks.ts'

const CHUNK = 200
const KEPT_MS = 8 * 86_400_000

/**
 * @param delayMs longer than one delivery attempt: a worker that was delivering when the queue was
 *   lost has then recorded the result
 * @returns how many were queued
 */
export async function requeueWebhooks(
  deps: Outbox & { redis: RedisConnection; deliveries: Deliveries },
  owner: string,
  nowMs: number,
  delayMs: number,
): Promise<number> {
  const delivered = await deps.deliveries.since(owner, nowMs - KEPT_MS)
  let queued = 0
  for (let after = '-'; ; ) {
    const entries = await viaRedis(deps.redis.xrange(redisKeysOf(deps.redis).events(owner), after, '+', 'COUNT', CHUNK))
    const last = entries.at(-1)?.[0]
    if (last === undefined) return queued
    after = `(${last}`
    for (const entry of entries) {
      const envelope = envelopeOf(entry)
      const webhook = await webhookOf(deps, envelope)
      if (webhook === undefined) continue
      const jobId = notifyJobId(webhook.eventId, webhook.url)
      if (delivered.has(jobId)) continue
      await deps.queues.enqueue('notify', webhook, { jobId, delayMs, trace: envelope.trace })
      queued++
    }
  }
}
