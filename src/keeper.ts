// What a service needs once, however many processes receive: the operations listener and the reconciler.

import type { MetricsSnapshot } from './core/metrics.ts'
import type { Deps } from './deps.ts'
import { buildOpsServer } from './ops/ops-server.ts'

const RECONCILE_MS = 60_000

export type Keeper = { started(): void; draining(): void; close(): Promise<void> }

/** @param siblings metrics of the receiving processes, where this one is not the only one */
export async function startKeeper(deps: Deps, siblings?: () => Promise<MetricsSnapshot[]>): Promise<Keeper> {
  const { config, logger } = deps
  // Before anything is accepted: a store that lets two writers create one file cannot hold records.
  await deps.store.probe()
  const state = { started: false, draining: false }
  const ops = await buildOpsServer({
    ...deps,
    redis: deps.redis.producer,
    state,
    ...(siblings === undefined ? {} : { siblings }),
  })
  await ops.listen({ host: config.ops.host, port: config.ops.port })
  const reconcile = () => {
    deps.reconciler
      .tick()
      .catch((err: unknown) => logger.warn({ err }, 'reconciling failed; again in a minute'))
  }
  const timer = setInterval(reconcile, RECONCILE_MS)
  return {
    started() {
      state.started = true
      reconcile()
    },
    draining() {
      clearInterval(timer)
      state.draining = true
    },
    close: () => ops.close(),
  }
}
