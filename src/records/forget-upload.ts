// Removes what Redis keeps under the id of an upload.

import type { ChainableCommander } from 'ioredis'
import { askAll } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from './keys.ts'

/** An upload to forget; `person`: see personOf. */
export type Forgotten = { id: string; owner: string; person: string; fingerprintKeys: readonly string[] }

const LANES = ['validate', 'inspect', 'transcode']

/**
 * Forgets an upload that was erased, with what else Redis keeps under its id. Whoever holds it loses it: its next step
 * finds no session. Throws REDIS_UNAVAILABLE.
 */
export async function forgetUpload(
  redis: RedisConnection,
  { id, owner, person, fingerprintKeys }: Forgotten,
): Promise<void> {
  const keys = redisKeysOf(redis)
  const own = [keys.hot(id), keys.parts(id), keys.progress(id), keys.assembly(id), keys.lostSince(id)]
  const holders = await Promise.all(fingerprintKeys.map((key) => viaRedis(redis.get(key))))
  const lists = [keys.openOf(owner, person), ...LANES.map((lane) => keys.inLane(lane, owner, person))]
  await askAll(redis, [
    (to) => to.del(...own, ...fingerprintKeys.filter((_, i) => holders[i] === id)),
    ...lists.map((key) => (to: ChainableCommander) => to.zrem(key, id)),
  ])
}
