// The events of a submission that are still in the log.

import type { RedisConnection } from '../../core/redis.ts'
import { viaRedis } from '../../core/redis.ts'
import { envelopeOf } from '../../events/log.ts'
import type { EventBody } from '../../records/event-body.ts'
import { redisKeysOf } from '../../records/keys.ts'

/** Oldest first; the log keeps at most the last thousand. */
export async function eventsOf(
  { redis }: { redis: { producer: RedisConnection } },
  owner: string,
  submissionId: string,
): Promise<EventBody[]> {
  const entries = await viaRedis(
    redis.producer.xrange(redisKeysOf(redis.producer).submissionEvents(owner, submissionId), '-', '+'),
  )
  return entries.map((entry) => envelopeOf(entry).body)
}
