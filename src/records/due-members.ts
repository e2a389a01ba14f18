// What is due, over all lists of one kind.

import { askAll } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'

/** Members of sorted sets with a score up to `nowMs`, lowest first, at most `limit`. Throws REDIS_UNAVAILABLE. */
export async function dueMembers(
  redis: RedisConnection,
  lists: readonly string[],
  nowMs: number,
  limit: number,
): Promise<string[]> {
  const answers = await askAll(
    redis,
    lists.map((list) => (to) => to.zrangebyscore(list, '-inf', nowMs, 'WITHSCORES', 'LIMIT', 0, limit)),
  )
  const scored = (answers as string[][]).flatMap((flat) =>
    Array.from({ length: flat.length / 2 }, (_, i) => ({ member: flat[2 * i] ?? '', score: Number(flat[2 * i + 1]) })),
  )
  return scored
    .toSorted((a, b) => a.score - b.score)
    .slice(0, limit)
    .map(({ member }) => member)
}
