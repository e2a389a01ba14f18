// The one place that opens connections to Redis.

import { readFileSync } from 'node:fs'
import { Redis, type RedisOptions } from 'ioredis'
import { parseRedisUrl, REDIS_URL_FORMS, type RedisPlace } from './redis-url.ts'
import { StartError } from './start-error.ts'

/** Throws StartError for a URL of another form. */
export function redisPlace(url: string): RedisPlace {
  const place = parseRedisUrl(url)
  if (place === undefined) throw new StartError(`REDIS_URL must be ${REDIS_URL_FORMS}`)
  return place
}

const SENTINEL_ANSWER_MS = 2000

/** Every connection to Redis begins here. Throws StartError where the CA cannot be read. */
export function openRedis(place: RedisPlace, options: RedisOptions): Redis {
  const tls = place.tls ? { tls: tlsOf(place) } : {}
  if (place.kind === 'single') return new Redis(place.url, { ...options, ...tls })
  const { sentinelUser } = place
  return new Redis({
    sentinels: place.hosts,
    name: place.name,
    role: 'master',
    db: place.db,
    ...place.user,
    ...(sentinelUser.username === undefined ? {} : { sentinelUsername: sentinelUser.username }),
    ...(sentinelUser.password === undefined ? {} : { sentinelPassword: sentinelUser.password }),
    ...(place.tls ? { sentinelTLS: tlsOf(place), enableTLSForSentinelMode: true } : {}),
    sentinelCommandTimeout: SENTINEL_ANSWER_MS,
    ...tls,
    ...options,
  })
}

function tlsOf({ ca }: RedisPlace): { ca?: Buffer } {
  if (ca === undefined) return {}
  try {
    return { ca: readFileSync(ca) }
  } catch (error) {
    throw new StartError(`REDIS_URL: the CA cannot be read: ${(error as Error).message}`)
  }
}
