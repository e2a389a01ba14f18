// Which submissions are known to be complete, or not, so that a list of the one kind need not compute the documents of the other.
// What is known holds as long as the submission has not changed: it is noted with the time of the last change by which the list
// is ordered. Redis forgets it; it is computed again.

import { viaRedis } from '../core/redis.ts'
import type { RecordIndex } from '../records/record-index.ts'

/** A submission in the list, at the time of its last change (Unix milliseconds). */
export type Place = { score: number; id: string }

const KEEP_MS = 7 * 86_400_000
/** A change of the same moment, by a process whose clock is behind, does not move the submission in the list. */
const SETTLED_MS = 60_000

/** In the order of the places; undefined: not known. Throws REDIS_UNAVAILABLE. */
export async function knownCompleteness(
  index: RecordIndex,
  owner: string,
  places: readonly Place[],
): Promise<(boolean | undefined)[]> {
  if (places.length === 0) return []
  const known = await viaRedis(index.redis.hmget(index.keys.completeness(owner), ...places.map(({ id }) => id)))
  return places.map(({ score }, i) => {
    const [at, complete] = (known[i] ?? '').split(' ')
    return at === String(score) ? complete === '1' : undefined
  })
}

/** Notes what was computed after the places were read. Throws REDIS_UNAVAILABLE. */
export async function noteCompleteness(
  index: RecordIndex,
  owner: string,
  computed: readonly (Place & { complete: boolean })[],
  nowMs: number,
): Promise<void> {
  const settled = computed.filter(({ score }) => score < nowMs - SETTLED_MS)
  if (settled.length === 0) return
  const key = index.keys.completeness(owner)
  const fields = settled.flatMap(({ id, score, complete }) => [id, `${score} ${complete ? '1' : '0'}`])
  await viaRedis(index.redis.hset(key, ...fields))
  await viaRedis(index.redis.pexpire(key, KEEP_MS))
}
