// Checks at start what kind of server REDIS_URL points to. A Sentinel, a cluster node or a replica
// answers PING, but fails every later command; a server that evicts keys loses uploads silently.

import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Redis, RedisOptions } from 'ioredis'
import type { Logger } from './logger.ts'
import { commandLoader } from './lua-commands.ts'
import { isCluster } from './redis.ts'
import { openRedis, type RedisConnection, redisPlace } from './redis-open.ts'
import type { RedisPlace } from './redis-url.ts'
import { retry } from './retry.ts'
import { StartError } from './start-error.ts'

const CONNECT_MS = 5000
const PAUSE_MS = 250
const PEEK_MS = 2000
const probePermissions = commandLoader(new URL('./commands/', import.meta.url))('probe-permissions')
/** The ACL that a Redis user needs. Keys and channels are those of `redisKeys` and the queues. @internal */
export const NEEDED_PERMISSIONS =
  '~sn:* ~sn-queue:* &sn:* +@read +@write +@scripting +@pubsub +@transaction +@connection +@blocking +info +time +cluster|slots +cluster|info'

/** A permanent error: waiting does not help. */
class WrongShape extends StartError {}

/**
 * Resolves when the server is a single, writable primary. Waits up to `timeoutMs` (milliseconds) while it
 * starts, loads or is being promoted.
 *
 * @throws StartError that names the error and the fix
 */
export async function requirePrimary(url: string, timeoutMs: number, logger: Logger): Promise<void> {
  const isPassing = (error: unknown) => !(error instanceof WrongShape)
  const limits = { holdMs: timeoutMs, firstPauseMs: PAUSE_MS, longestPauseMs: PAUSE_MS, isPassing }
  const place = redisPlace(url)
  await retry(() => check(place, logger), limits).catch((error: unknown) => {
    if (!isPassing(error)) throw error
    const why = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : error
    throw new StartError(`REDIS_URL: no usable Redis within ${timeoutMs / 1000} s: ${why}`)
  })
}

async function check(place: RedisPlace, logger: Logger): Promise<void> {
  const options: RedisOptions = {
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: CONNECT_MS,
    commandTimeout: CONNECT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    sentinelRetryStrategy: () => null,
  }
  const redis = openRedis(place, options, PAUSE_MS)
  let failure: NodeJS.ErrnoException | undefined
  redis.on('error', (error: Error) => {
    failure ??= error
  })
  redis.on('sentinelError', (error: Error) => {
    failure ??= error
  })
  try {
    await redis.connect()
    for (const server of isCluster(redis) ? redis.nodes('master') : [redis])
      checkServer(await redisInfo(server), place, logger)
    await checkPermissions(redis)
  } catch (error) {
    if (error instanceof StartError) throw error
    throw await explained(place, causeOf(failure ?? (error as NodeJS.ErrnoException)))
  } finally {
    redis.disconnect()
  }
}

type Field = (name: string) => string

async function redisInfo(server: Redis): Promise<Field> {
  const info = await server.info()
  return (name) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
}

function checkServer(field: Field, place: RedisPlace, logger: Logger): void {
  // Valkey calls it by the other name.
  const mode = field('redis_mode') || field('server_mode')
  if (mode === 'sentinel')
    throw new WrongShape(
      'REDIS_URL: this is a Sentinel: redis+sentinel://HOST:PORT/NAME, all Sentinels separated by commas',
    )
  if (mode === 'cluster' && place.kind !== 'cluster')
    throw new WrongShape(
      'REDIS_URL: this is a node of a Redis Cluster: redis+cluster://HOST:PORT, several separated by commas',
    )
  if (field('loading') === '1') throw new Error('it is still loading its data')
  if (field('role') === 'slave')
    throw new Error(
      `this is a replica of ${field('master_host')}:${field('master_port')}; use the address of the primary`,
    )
  const policy = field('maxmemory_policy')
  if (policy !== 'noeviction' && policy !== '')
    throw new WrongShape(
      `REDIS_URL: maxmemory-policy is ${policy}: uploads and jobs could be evicted; set it to noeviction`,
    )
  if (field('aof_enabled') === '0')
    logger.warn(
      'REDIS_URL: append-only file is off; after every restart of Redis everything is rebuilt from the object store. Set appendonly yes',
    )
}

/** Runs every kind of command once on own keys; missing permissions would otherwise show only later. */
async function checkPermissions(redis: RedisConnection): Promise<void> {
  const [key, queue] = [`sn:probe:${process.pid}`, `sn-queue:probe:${process.pid}`]
  const asked: Promise<unknown>[] = [
    redis.set(key, '1', 'PX', PEEK_MS),
    redis.get(queue),
    redis.time(),
    redis.eval(probePermissions.lua, 1, key),
    redis.multi().hget(queue, 'field').zrange(queue, 0, 0).exec(),
    redis.xlen(queue),
    redis.bzpopmin(queue, 0.01),
    redis.publish('sn:probe', ''),
    redis.client('SETNAME', 'songngan-start'),
  ]
  for (const answer of await Promise.allSettled(asked)) {
    if (answer.status === 'fulfilled') continue
    const { message } = answer.reason as Error
    if (/NOPERM|EXECABORT|ACL failure|user executing the script/.test(message))
      throw new WrongShape(
        `REDIS_URL: the Redis user lacks permissions (${message.replace(/^NOPERM /, '')}); it needs ${NEEDED_PERMISSIONS}`,
      )
    throw answer.reason
  }
}

/** Of a cluster that could not be asked: what its last node said. */
function causeOf(failure: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return (failure as { lastNodeError?: Error | null }).lastNodeError ?? failure
}

/** A connection error with advice for the operator, if another REDIS_URL would work. */
async function explained(place: RedisPlace, failure: NodeJS.ErrnoException): Promise<Error> {
  const { code = '', message } = failure
  if (place.kind === 'sentinel' && /No such master with that name|invalid reply: null$/.test(message))
    return new WrongShape(`REDIS_URL: the Sentinels watch no primary named ${place.name}`)
  if (/^failed to connect to sentinel .*(?:NOAUTH|WRONGPASS|ERR invalid password)/.test(message))
    return new WrongShape('REDIS_URL: the Sentinels refuse: set ?sentinelUser= and ?sentinelPassword=')
  if (place.kind === 'cluster' && /cluster support disabled/.test(message))
    return new WrongShape('REDIS_URL: this server is not part of a cluster: redis://HOST:PORT')
  if (/^(?:WRONGPASS|ERR invalid password|ERR Client sent AUTH)/.test(message))
    return new WrongShape('REDIS_URL: wrong user name or password')
  if (message.startsWith('NOAUTH'))
    return new WrongShape('REDIS_URL: Redis requires a password: redis://:PASSWORD@host:port')
  if (message.startsWith('NOPERM'))
    return new WrongShape(`REDIS_URL: the Redis user lacks permissions (${message}); it needs ${NEEDED_PERMISSIONS}`)
  if (code.includes('CERT') || code.startsWith('UNABLE_TO_'))
    return new WrongShape(
      `REDIS_URL: the certificate is not trusted (${code}); name its CA: ?ca=FILE, or NODE_EXTRA_CA_CERTS`,
    )
  if (['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'].includes(code)) return failure
  const [first] = place.hosts
  if (first === undefined) return failure
  if (place.tls && (await speaksPlain(first)))
    return new WrongShape('REDIS_URL: this Redis does not use TLS: use redis:// instead of rediss://')
  if (!place.tls && (await speaksTls(first)))
    return new WrongShape('REDIS_URL: this Redis uses TLS: use rediss:// instead of redis://')
  return failure
}

async function speaksPlain(place: { host: string; port: number }): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(place, () => socket.write('PING\r\n'))
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PEEK_MS, () => end(false))
    // +PONG, or an error that asks for a password.
    socket.on('data', (data) => end(/^[+-]/.test(data.toString('latin1'))))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
  })
}

async function speaksTls(place: { host: string; port: number }): Promise<boolean> {
  return await new Promise((resolve) => {
    // Nothing is sent: only checks for TLS, not the certificate.
    const socket = connectTls({ ...place, rejectUnauthorized: false }, () => end(true))
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PEEK_MS, () => end(false))
    // A server that requires a client certificate uses TLS.
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => end(/ALERT|CERTIFICATE_REQUIRED/.test(code)))
    socket.on('close', () => end(false))
  })
}
