// Submissions in which nothing has happened for two days leave Redis, all but their entry in the lists: they are read from the
// store when somebody asks for them, and stay for two days then.

import type { Clock } from '../core/clock.ts'
import { inParallel } from '../core/in-parallel.ts'
import { run } from '../core/lua-commands.ts'
import { viaRedis } from '../core/redis.ts'
import { unloadSubmission } from './commands.ts'
import type { RecordIndex } from './record-index.ts'
import type { UploadSessionStore } from './upload-session-store.ts'

const QUIET_MS = 2 * 86_400_000
const BATCH = 200
const PARALLEL = 8
/** What is not done by then is done in the next run. */
const RUN_MS = 20_000

export type QuietDeps = {
  index: RecordIndex
  hot: Pick<UploadSessionStore, 'statusOfMany'>
  clock: Clock
}

/** @returns how many have left */
export async function unloadQuiet(deps: QuietDeps): Promise<number> {
  const { index, clock } = deps
  const endsAtMs = performance.now() + RUN_MS
  let left = 0
  for (let looked = BATCH; looked === BATCH && performance.now() < endsAtMs; ) {
    const before = clock.now() - QUIET_MS
    const members = await viaRedis(index.redis.zrangebyscore(index.keys.loaded, '-inf', before, 'LIMIT', 0, BATCH))
    looked = members.length
    await inParallel(PARALLEL, members, async (member) => {
      if (await unload(deps, member)) left++
    })
  }
  return left
}

async function unload({ index, hot, clock }: QuietDeps, member: string): Promise<boolean> {
  const { redis } = index
  const slash = member.indexOf('/')
  const [owner, id] = [member.slice(0, slash), member.slice(slash + 1)]
  const changedAtMs = Number((await viaRedis(redis.zscore(index.keys.submissionsOf(owner), id))) ?? 0)
  const ids = await index.uploadIds(owner, id)
  const isMoving = (await hot.statusOfMany(ids)).some((status) => status !== null && status !== 'stored')
  if (isMoving || changedAtMs > clock.now() - QUIET_MS) {
    await viaRedis(redis.zadd(index.keys.loaded, clock.now(), member))
    return false
  }
  // First, so that what is loaded again meanwhile is noted again; and of two processes that found it one goes on.
  if ((await viaRedis(redis.zrem(index.keys.loaded, member))) === 0) return false
  for (const key of [index.keys.head(owner, id), ...ids.map(index.keys.record)]) await viaRedis(redis.unlink(key))
  const sequence = index.keys.sequence(owner, id)
  await run(redis, unloadSubmission, [sequence, index.keys.uploadsOf(owner, id)], ids)
  // In a cluster a key of its own.
  await viaRedis(redis.unlink(index.keys.published(sequence)))
  return true
}
