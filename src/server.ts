// Entry of the service: configuration → parts → app → listen → graceful close.

import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { loadConfig } from './core/config.ts'
import { createLogger } from './core/logger.ts'
import { exitOnStartError } from './core/start-error.ts'
import { createDeps } from './deps.ts'
import { buildOpsServer } from './ops/ops-server.ts'
import { startUploads } from './uploads/lifecycle.ts'

const RECONCILE_MS = 60_000
/** A client gives up about 9 s after its last progress: whoever takes over must be able to before that. */
const CLOSE_MS = 8000

async function main(): Promise<void> {
  const config = loadConfig()
  const logger = createLogger({ name: 'songngan', level: config.logLevel })
  const deps = await createDeps(config, logger)
  await deps.store.probe()
  const stopUploads = await startUploads(deps)
  const app = await buildApp(deps)
  const state = { started: false, draining: false }
  const ops = await buildOpsServer({ ...deps, redis: deps.redis.producer, state })
  await ops.listen({ host: config.ops.host, port: config.ops.port })
  await app.listen({ host: config.http.host, port: config.http.port })
  state.started = true

  const reconcile = () =>
    deps.reconciler
      .tick()
      .catch((err: unknown) => logger.warn({ err }, 'reconciling failed; again in a minute'))
  const timer = setInterval(reconcile, RECONCILE_MS)
  void reconcile()

  closeWithGrace({ delay: CLOSE_MS, logger }, async ({ err, signal }) => {
    if (err !== undefined) logger.fatal({ err }, 'unexpected error: closing')
    logger.info({ signal }, 'closing')
    clearInterval(timer)
    state.draining = true
    deps.admission.drain()
    deps.drain.abort()
    await stopUploads()
    await app.close()
    await ops.close()
    await deps.close()
  })
}

main().catch(exitOnStartError)
