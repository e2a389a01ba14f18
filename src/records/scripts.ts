// Redis scripts as typed calls: EVALSHA first, the source once per server that does not know it yet.

import { createHash } from 'node:crypto'
import { type RedisConnection, viaRedis } from '../core/redis.ts'

export type Script = { readonly source: string; readonly sha: string }

export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Runs a script; Redis trouble becomes REDIS_UNAVAILABLE. Scripts may run twice (a resent command): each is idempotent. */
export async function run(
  redis: RedisConnection,
  { sha, source }: Script,
  keys: string[],
  args: (string | number)[],
): Promise<unknown> {
  try {
    return await viaRedis(redis.evalsha(sha, keys.length, ...keys, ...args))
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
      return await viaRedis(redis.eval(source, keys.length, ...keys, ...args))
    throw error
  }
}
