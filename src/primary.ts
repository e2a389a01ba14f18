// Several receiving processes behind one port: the primary distributes connections, restarts processes,
// aggregates their metrics, and runs the operations listener and the reconciler.

import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { type Config, EXIT_CONFIG } from './core/config.ts'
import type { Logger } from './core/logger.ts'
import type { MetricsSnapshot } from './core/metrics.ts'
import { StartError } from './core/start-error.ts'
import { createDeps } from './deps.ts'
import { attach } from './ops/attach.ts'
import { startSingletonServices } from './singleton-services.ts'

const SNAPSHOT_MS = 2000
const RESTART_MS = 1000

type Reply = { metrics: MetricsSnapshot }

/** Starts everything; resolves with `close`. */
export async function startPrimary(config: Config, logger: Logger): Promise<{ close(): Promise<void> }> {
  const deps = await createDeps(config, logger)
  const listeners = new Set<number>()
  cluster.on('listening', ({ id }) => void listeners.add(id))
  const singletons = await startSingletonServices(deps, {
    metrics: () => Promise.all(workers().map(snapshotOf)).then((all) => all.flat()),
    isListening: () => listeners.size > 0,
  })
  const attached = await attach(deps, 'primary', (settings) => singletons.applyControls(settings))
  let closing = false
  cluster.on('exit', (worker, code, signal) => {
    listeners.delete(worker.id)
    if (closing) return
    logger.error({ processId: worker.process.pid, code, signal }, 'a receiving process ended; starting another')
    setTimeout(() => closing || cluster.fork(), RESTART_MS)
  })
  await Promise.all(Array.from({ length: config.processes }, () => listening(cluster.fork())))
  singletons.started()
  logger.info({ processes: config.processes }, 'receiving processes are listening')
  return {
    async close() {
      closing = true
      singletons.prepareClose()
      await Promise.all(
        workers().map(async (worker) => {
          const ended = once(worker, 'exit')
          worker.process.kill('SIGTERM')
          await ended
        }),
      )
      await attached.stop()
      await singletons.close()
      await deps.close()
    },
  }
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
}

/** Rejects if the process ends before it listens; its log has the reason. */
async function listening(worker: Worker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    worker.once('listening', () => resolve())
    worker.once('exit', (code) => {
      reject(code === EXIT_CONFIG ? new StartError('A receiving process could not start.') : new Error(`exit ${code}`))
    })
  })
}

/** A process that does not answer in time is omitted from this scrape. */
async function snapshotOf(worker: Worker): Promise<MetricsSnapshot[]> {
  return await new Promise((resolve) => {
    const onMessage = (reply: Reply) => finish([reply.metrics])
    const timer = setTimeout(() => finish([]), SNAPSHOT_MS)
    const finish = (result: MetricsSnapshot[]) => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      resolve(result)
    }
    worker.on('message', onMessage)
    worker.send('metrics')
  })
}

/** In a receiving process: answers the primary. */
export function answerPrimary(snapshot: () => Promise<MetricsSnapshot>, logger: Logger): void {
  process.on('message', (message) => {
    if (message !== 'metrics') return
    snapshot().then(
      (metrics) => process.send?.({ metrics } satisfies Reply),
      (err: unknown) => logger.warn({ err }, 'metrics could not be collected'),
    )
  })
}
