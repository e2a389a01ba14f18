// A worker process: configuration → dependencies → tools → operations listener → lanes → graceful shutdown.

import { hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import { loadWorkerConfig } from '../src/core/config.ts'
import { createLogger } from '../src/core/logger.ts'
import { keepFilesPrivate } from '../src/core/private-files.ts'
import { createDeps } from '../src/deps.ts'
import { attach } from '../src/ops/attach.ts'
import { buildOpsServer } from '../src/ops/ops-server.ts'
import { createLookup } from '../src/support/lookup.ts'
import { createWorkerContext } from './create-worker-context.ts'
import { applyControls } from './lane-controller.ts'
import { watchLoop } from './loop-watch.ts'
import { startWorkers, type Timing } from './registry.ts'
import { watchRoom } from './room-watch.ts'

/** Short jobs can finish; longer ones are released, and another worker starts them again. */
const GRACE_MS = 5000
const CLOSE_MS = 20_000

/** Throws StartError or ConfigError for errors that an operator must fix. The options are for tests. */
export async function runWorker(
  options: { timing?: Timing; graceMs?: number; loopLimitMs?: number } = {},
): Promise<void> {
  const config = loadWorkerConfig()
  await keepFilesPrivate(config.storage.dataDir)
  const logger = createLogger({ name: 'songngan-worker', level: config.logLevel })
  const deps = await createWorkerContext(await createDeps(config, logger, { name: 'songngan-worker' }))
  for (const warning of await deps.store.probe()) logger.warn(warning)
  // Reconciling ends expired uploads, and first asks the process that may be receiving one.
  await deps.peers.start()
  const state: { started: boolean; draining: boolean; closing: boolean; shortOf?: string } = {
    started: false,
    draining: false,
    closing: false,
  }
  const { fence } = deps
  const ops = await buildOpsServer({
    ...deps,
    redis: deps.redis.producer,
    state,
    support: createLookup(deps),
    ...(fence === undefined ? {} : { mediaTools: fence }),
  })
  await ops.listen({ host: config.ops.host, port: config.ops.port })
  await watchLoop(options.loopLimitMs)
  const swept = await deps.room.sweep()
  const running = await startWorkers(deps, options.timing)
  const laneController = applyControls(running.workers)
  const endWatch = await watchRoom({ ...deps, controller: laneController }, (words) => {
    if (words === undefined) delete state.shortOf
    else state.shortOf = words
  })
  const attached = await attach(
    deps,
    'worker',
    async (settings) => {
      await laneController.apply(settings)
      state.draining = state.closing || settings.draining
    },
    laneController.lanes,
  )
  state.started = true
  if (fence?.isolation === 'none') {
    const what = 'MEDIA_ISOLATION=none: media tools that open untrusted files have all rights of this worker'
    const actor = { by: `worker at ${hostname()}`, from: null }
    await deps.securityLog.record({ event: 'start.unfenced', actor, on: null, what })
  }
  logger.info({ lanes: config.workers.lanes, fence, swept: swept.length }, 'worker is running')

  closeWithGrace({ delay: CLOSE_MS, logger }, async ({ err, signal }) => {
    if (err !== undefined) logger.fatal({ err }, 'unexpected error; shutting down')
    logger.info({ signal }, 'closing')
    state.closing = true
    state.draining = true
    endWatch()
    await attached.stop()
    await running.close(options.graceMs ?? GRACE_MS)
    await ops.close()
    await deps.close()
  })
}
