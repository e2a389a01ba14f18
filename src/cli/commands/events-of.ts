// The events of a submission that the log still has.

import type { RedisConnection } from '../../core/redis.ts'
import { viaRedis } from '../../core/redis.ts'
import { envelopeOf } from '../../events/log.ts'
import type { EventBody } from '../../records/event-body.ts'
import { redisKeys } from '../../records/keys.ts'

/** Oldest first; at most the last thousand are kept. */
export async function eventsOf(
  { redis }: { redis: { producer: RedisConnection } },
  owner: string,
  submissionId: string,
): Promise<EventBody[]> {
  const entries = await viaRedis(redis.producer.xrange(redisKeys.submissionEvents(owner, submissionId), '-', '+'))
  return entries.map((entry) => envelopeOf(entry).body)
}
