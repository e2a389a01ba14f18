// Three health checks. `live`: the event loop runs; nothing else is checked, or a short Redis failure would restart every
// process. `ready`: this process is ready for traffic. What is away is answered to clients by the contract, and costs no
// process its place in the balancer; a Redis that refuses every write may be refusing this process' line alone.
// `details`: everything, for people.

import type { FastifyInstance } from 'fastify'
import { isoTime } from '../core/clock.ts'
import { checkRedis, checkStore, freeBytesOf } from './checks.ts'
import type { OpsDeps } from './ops-deps.ts'
import { statsOfQueues } from './queue-stats.ts'

/** Below this free space on the disk of DATA_DIR even small writes can fail. */
export const FULL_DISK_BYTES = 64 * 1024 ** 2

export function healthRoutes(app: FastifyInstance, deps: OpsDeps): void {
  const { state, config, redis, redisWatch, store, queues, clock, mediaTools } = deps

  app.get('/health/live', () => ({ status: 'ok' }))

  app.get('/health/ready', async (_request, reply) => {
    const reason = await notReady()
    if (reason === undefined) return { status: 'ready' }
    return await reply.code(503).header('retry-after', '1').send({ status: 'not ready', reason })
  })

  app.get('/health/details', async (_request, reply) => {
    const [redisLook, storeLook, storeFreeBytes, freeBytes, queueStats, signing] = await Promise.all([
      checkRedis(redis),
      checkStore(store),
      store.freeBytes().catch(() => null), // an unavailable store is reported by checkStore
      freeBytesOf(config.storage.dataDir),
      // Only if Redis answers: its commands wait during an outage.
      checkRedis(redis).then(({ up }) => (up ? statsOfQueues(queues.byLane, redis, clock.now()) : null)),
      deps.signing?.().catch(() => null), // a Redis that is away is reported by checkRedis
    ])
    const healthy = redisLook.up && storeLook.up && (await notReady()) === undefined
    return await reply.code(healthy ? 200 : 503).send({
      status: healthy ? 'ok' : 'degraded',
      time: isoTime(clock.now()),
      process: {
        pid: process.pid,
        node: process.version,
        uptimeSeconds: Math.round(process.uptime()),
        rssBytes: process.memoryUsage.rss(),
        started: state.started,
        draining: state.draining,
      },
      clock: { skewSeconds: redisWatch.skewMs() / 1000, limitSeconds: config.clockSkewLimitMs / 1000 },
      redis: redisLook,
      store: { kind: store.kind, ...storeLook, freeBytes: storeFreeBytes ?? null },
      disk: { freeBytes },
      queues: queueStats,
      security: {
        operatorPages: config.ops.password === undefined ? 'off' : config.ops.readOnly ? 'read-only' : 'on',
        wrongCredentialsPerMinute: config.wrongCredentialsPerMinute,
        logDays: config.retention.securityLogDays,
        uploadsNeed: config.tickets.auth,
      },
      ...(signing === undefined ? {} : { signing }),
      ...(mediaTools === undefined ? {} : { mediaTools }),
    })
  })

  async function notReady(): Promise<string | undefined> {
    if (!state.started) return 'starting'
    if (state.draining) return 'draining'
    if (state.shortOf !== undefined) return state.shortOf
    const refusal = redisWatch.refusal()
    if (refusal !== undefined) return `Redis takes no writes: ${refusal}`
    const skewMs = redisWatch.skewMs()
    if (Math.abs(skewMs) > config.clockSkewLimitMs)
      return `clock: ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} Redis`
    const freeBytes = await freeBytesOf(config.storage.dataDir)
    return freeBytes < FULL_DISK_BYTES ? `disk full: ${freeBytes} bytes free` : undefined
  }
}
