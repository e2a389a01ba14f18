// Counts of all processes in Redis: each process adds its counts to the current bucket. Three resolutions,
// with limited life: five seconds for the last half hour, one minute for two days, one hour for three.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'
import type { Counts } from './counters.ts'

const RESOLUTIONS = [
  { seconds: 5, keepSeconds: 1800 },
  { seconds: 60, keepSeconds: 2 * 86_400 },
  { seconds: 3600, keepSeconds: 3 * 86_400 },
] as const

/** One bucket; `atMs` is its start. */
export type Bucket = { atMs: number; counts: Counts }

/** Adds to the buckets of `nowMs`. Atomic: after an error the same counts can be added again. */
export async function addToRollup(redis: RedisConnection, nowMs: number, counts: Counts): Promise<void> {
  const entries = Object.entries(counts)
  if (entries.length === 0) return
  const change = redis.multi()
  for (const { seconds, keepSeconds } of RESOLUTIONS) {
    const key = redisKeysOf(redis).tally(seconds, Math.floor(nowMs / 1000 / seconds))
    for (const [name, amount] of entries) change.hincrby(key, name, amount)
    change.expire(key, keepSeconds)
  }
  await viaRedis(change.exec())
}

/** The bucket size in seconds for a window: the fine one if it reaches back far enough. */
export function resolutionFor(windowSeconds: number): 5 | 60 {
  return windowSeconds <= RESOLUTIONS[0].keepSeconds ? 5 : 60
}

/** Every bucket from `fromMs` to `toMs`, also empty ones. */
export async function readRollup(
  redis: RedisConnection,
  resolutionSeconds: 5 | 60 | 3600,
  fromMs: number,
  toMs: number,
): Promise<Bucket[]> {
  const resolutionMs = resolutionSeconds * 1000
  const first = Math.floor(fromMs / resolutionMs)
  const numbers = Array.from({ length: Math.max(0, Math.floor(toMs / resolutionMs) - first + 1) }, (_, i) => first + i)
  const ask = redis.pipeline()
  for (const number of numbers) ask.hgetall(redisKeysOf(redis).tally(resolutionSeconds, number))
  const answers = (await viaRedis(ask.exec())) ?? []
  return answers.map(([error, fields], i) => {
    if (error) throw error
    const counts = Object.entries(fields as Record<string, string>).map(([name, n]) => [name, Number(n)] as const)
    return { atMs: (numbers[i] ?? 0) * resolutionMs, counts: Object.fromEntries(counts) }
  })
}

/** Merges every `width` buckets into one; the last may have fewer. */
export function merged(buckets: readonly Bucket[], width: number): Bucket[] {
  const result: Bucket[] = []
  for (let i = 0; i < buckets.length; i += width) {
    const some = buckets.slice(i, i + width)
    result.push({ atMs: some[0]?.atMs ?? 0, counts: summed(some) })
  }
  return result
}

export function summed(buckets: readonly Bucket[]): Counts {
  const sum: Counts = {}
  for (const { counts } of buckets)
    for (const [name, amount] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + amount
  return sum
}
