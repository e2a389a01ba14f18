// Services that run once, independent of the number of receiving processes: operations listener, reconciler, follower of
// the search index, heartbeat in the store, and renewal of unique keys, which needs the secrets that workers do not have.

import { hostname } from 'node:os'
import type { MetricsSnapshot } from './core/metrics.ts'
import type { Deps } from './deps.ts'
import { timesOf } from './evidence/outages/examine.ts'
import { FleetLogs } from './evidence/outages/fleet-logs.ts'
import { StoreHeartbeat } from './evidence/outages/store-heartbeat.ts'
import { startRebuildMonitor } from './lifecycle/rebuild.ts'
import { startReconciling } from './lifecycle/reconcile.ts'
import { checkRedis } from './ops/checks.ts'
import { type ControlSettings, instanceName } from './ops/control-watch.ts'
import { buildOpsServer } from './ops/ops-server.ts'
import { createLookup } from './support/lookup.ts'
import { searchFollower } from './support/search.ts'

const RENEW_MS = 86_400_000

export type SingletonServices = {
  started(): void
  /** Applies what operators have set: draining, admission. */
  applyControls(settings: Pick<ControlSettings, 'draining' | 'admission'>): void
  /** The process will shut down. */
  prepareClose(): void
  close(): Promise<void>
}

/** The receiving processes, if there are several: their metrics, and whether any of them listens. */
type Siblings = { metrics: () => Promise<MetricsSnapshot[]>; isListening: () => boolean }

const REDIS_MS = 1000

export async function startSingletonServices(deps: Deps, siblings?: Siblings): Promise<SingletonServices> {
  const { config, logger } = deps
  // Before accepting requests: the store must support conditional creation.
  for (const warning of await deps.store.probe()) logger.warn(warning)
  const state = { started: false, draining: false }
  let closing = false
  let isClosed = false
  const ops = await buildOpsServer({
    ...deps,
    redis: deps.redis.producer,
    state,
    support: createLookup(deps),
    signing: async () => ({
      // Shared: beside a service of an earlier version, during a rolling upgrade.
      keys: deps.keyDerivation.active ? 'derived' : 'shared',
      receipts: await deps.receiptKeys.state(),
    }),
    ...(siblings === undefined ? {} : { siblings: siblings.metrics }),
  })
  await ops.listen({ host: config.ops.host, port: config.ops.port })
  let endHealing: () => void = () => undefined
  let endReconciling: () => void = () => undefined
  let endDeadlines: () => void = () => undefined
  const renew = () => {
    deps.uniqueKeys.renew().then(
      (names) => {
        if (names > 0) logger.info({ names }, 'names of unique keys that nobody looks for any more were removed')
      },
      (err: unknown) => logger.warn({ err }, 'unique keys were not renewed; it is tried again tomorrow'),
    )
  }
  const renewal = setInterval(renew, RENEW_MS)
  const redis = deps.redis.producer
  const follower = searchFollower(deps)
  const heartbeat = new StoreHeartbeat({
    store: deps.store,
    logs: new FleetLogs(deps),
    ledger: deps.outages,
    clock: deps.clock,
    logger,
    instance: instanceName(config.ops),
    times: timesOf(config.outages.heartbeatMs),
    isServing: siblings?.isListening ?? (() => true),
    takesCreations: () => !isClosed && !state.draining,
    isRedisUp: async () => (await checkRedis(redis, REDIS_MS)).up,
  })
  let lastWord: Promise<void> | undefined
  return {
    started() {
      state.started = true
      heartbeat.start()
      if (config.tickets.auth === 'none') {
        const actor = { by: `service at ${hostname()}`, from: null }
        void deps.securityLog.record({ event: 'start.unauthenticated', actor, on: null })
      }
      endHealing = startRebuildMonitor(deps.rebuilder, logger)
      endReconciling = startReconciling(deps.reconciler, logger)
      endDeadlines = deps.deadlineWork.start()
      renew()
      follower.start()
    },
    applyControls({ draining, admission }) {
      state.draining = closing || draining
      isClosed = admission !== null
    },
    prepareClose() {
      if (state.started) lastWord = heartbeat.stop()
      endReconciling()
      endDeadlines()
      clearInterval(renewal)
      endHealing()
      closing = true
      state.draining = true
    },
    async close() {
      await lastWord
      await follower.stop()
      await ops.close()
    },
  }
}
