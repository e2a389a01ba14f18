// The sequence number of the last event that no record stands for (`submission.complete` and its opposite). Kept beside
// the counter in Redis, so that a document's `sequence` is never behind an event that its reader has seen.

import { viaRedis } from '../core/redis.ts'
import { redisKeys } from '../records/keys.ts'
import type { RecordIndex } from '../records/record-index.ts'
import { SEQUENCE_FIELDS } from '../records/stored-fields.ts'

/** 0 where there was none, or Redis has forgotten it. */
export async function publishedSequence(index: RecordIndex, owner: string, submissionId: string): Promise<number> {
  return Number(
    (await viaRedis(index.redis.hget(redisKeys.sequence(owner, submissionId), SEQUENCE_FIELDS.eventSequence))) ?? 0,
  )
}
