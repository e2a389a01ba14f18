// Entry of the service: configuration → one process, or a primary with several → graceful close.

import cluster from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import { loadConfig } from './core/config.ts'
import { createLogger } from './core/logger.ts'
import { keepFilesPrivate } from './core/private-files.ts'
import { exitOnStartError } from './core/start-error.ts'
import { answerPrimary, startPrimary } from './primary.ts'
import { startService } from './service.ts'

/** Clients give up about 9 s after their last progress: another process must be able to take over before. */
const CLOSE_MS = 8000

async function main(): Promise<void> {
  const config = loadConfig()
  await keepFilesPrivate(config.storage.dataDir)
  const logger = createLogger({ name: 'songngan', level: config.logLevel })
  const running = await start()

  closeWithGrace({ delay: CLOSE_MS, logger }, async ({ err, signal }) => {
    if (err !== undefined) logger.fatal({ err }, 'unexpected error; shutting down')
    logger.info({ signal }, 'closing')
    await running.close()
  })

  async function start(): Promise<{ close(): Promise<void> }> {
    if (cluster.isPrimary && config.processes > 1) return await startPrimary(config, logger)
    const service = await startService(config, logger, { alone: cluster.isPrimary })
    if (cluster.isWorker) answerPrimary(() => service.deps.metrics.snapshot(), logger)
    return service
  }
}

main().catch(exitOnStartError)
