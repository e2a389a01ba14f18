// The sequence number of the last event without a record (`submission.complete`, `submission.incomplete`). Kept beside
// the counter in Redis, so that a document's `sequence` is never lower than that of a published event.

import { viaRedis } from '../core/redis.ts'
import type { RecordIndex } from '../records/record-index.ts'
import { SEQUENCE_FIELDS } from '../records/stored-fields.ts'

/** 0: none, or lost with Redis. */
export async function publishedSequence(index: RecordIndex, owner: string, submissionId: string): Promise<number> {
  return Number(
    (await viaRedis(index.redis.hget(index.keys.sequence(owner, submissionId), SEQUENCE_FIELDS.eventSequence))) ?? 0,
  )
}
