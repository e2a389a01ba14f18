// The one place that opens connections to Redis.

import { readFileSync } from 'node:fs'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { parseRedisUrl, REDIS_URL_FORMS, type RedisPlace } from './redis-url.ts'
import { StartError } from './start-error.ts'

export type RedisConnection = Redis | Cluster

/** Throws StartError for a URL of another form. */
export function redisPlace(url: string): RedisPlace {
  const place = parseRedisUrl(url)
  if (place === undefined) throw new StartError(`REDIS_URL must be ${REDIS_URL_FORMS}`)
  return place
}

const SENTINEL_ANSWER_MS = 2000
/** Pause before a command is sent again while a cluster fails over. */
const CLUSTER_PAUSE_MS = 100
/** A node whose machine is gone closes no connection: who is a primary is asked again and again. */
const ROLES_EVERY_MS = 2000
const ROLES_ANSWER_MS = 2000

/**
 * A connection, in a cluster one to each node.
 *
 * @param holdMs how long a command is sent again while a cluster fails over
 * @throws StartError where the CA cannot be read
 */
export function openRedis(place: RedisPlace, options: RedisOptions, holdMs: number): RedisConnection {
  return place.kind === 'cluster' ? openCluster(place, options, holdMs) : openServer(place, options)
}

type OneServer = Exclude<RedisPlace, { kind: 'cluster' }>
type ClusterPlace = Extract<RedisPlace, { kind: 'cluster' }>

function openServer(place: OneServer, options: RedisOptions): Redis {
  const tls = tlsOf(place)
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
    ...('tls' in tls ? { sentinelTLS: tls.tls, enableTLSForSentinelMode: true } : {}),
    sentinelCommandTimeout: SENTINEL_ANSWER_MS,
    ...tls,
    ...options,
  })
}

function openCluster(place: ClusterPlace, options: RedisOptions, holdMs: number): Cluster {
  const { enableOfflineQueue = true, retryStrategy: _, lazyConnect = false, ...ofNodes } = options
  return new Cluster(place.hosts, {
    redisOptions: { ...ofNodes, ...place.user, ...tlsOf(place) },
    enableOfflineQueue,
    lazyConnect,
    clusterRetryStrategy: options.retryStrategy ?? null,
    retryDelayOnFailover: CLUSTER_PAUSE_MS,
    retryDelayOnClusterDown: CLUSTER_PAUSE_MS,
    retryDelayOnTryAgain: CLUSTER_PAUSE_MS,
    maxRedirections: Math.ceil(holdMs / CLUSTER_PAUSE_MS),
    slotsRefreshInterval: ROLES_EVERY_MS,
    slotsRefreshTimeout: ROLES_ANSWER_MS,
    // Certificates are for names.
    ...(place.tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
  })
}

/**
 * A connection to one node of a cluster that only listens to channels: each node passes on what is published anywhere, and
 * unlike the whole cluster one connection tells when it was lost. The next attempt is made at the next node.
 */
export function openListener(place: ClusterPlace, options: RedisOptions): Redis {
  let attempts = 0
  const { retryStrategy, ...rest } = options
  const redis = new Redis({
    ...rest,
    ...place.hosts[0],
    ...place.user,
    ...tlsOf(place),
    retryStrategy: (times) => {
      attempts++
      Object.assign(redis.options, place.hosts[attempts % place.hosts.length])
      return retryStrategy?.(times)
    },
  })
  return redis
}

function tlsOf({ tls, ca }: RedisPlace): { tls: { ca?: Buffer } } | Record<string, never> {
  if (!tls) return {}
  if (ca === undefined) return { tls: {} }
  try {
    return { tls: { ca: readFileSync(ca) } }
  } catch (error) {
    throw new StartError(`REDIS_URL: the CA cannot be read: ${(error as Error).message}`)
  }
}
