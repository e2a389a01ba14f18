// Background tasks of the upload path, from start to end of the process.

import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import { LEASE_MS } from '../records/upload-session-store.ts'
import type { ByteBudget } from './budget.ts'
import type { Peers } from './peers.ts'
import type { SocketReading } from './socket-reading.ts'
import type { Spool } from './stores/spool.ts'

export type LifecycleDeps = {
  peers: Peers
  hot: UploadSessionStore
  spool: Spool
  budget: ByteBudget
  socketReading: SocketReading
  metrics: Metrics
  logger: Logger
}

/** Starts them; resolves with a stop function: running requests store what they have, and clients continue elsewhere. */
export async function startUploads({
  peers,
  hot,
  spool,
  budget,
  socketReading,
  metrics,
  logger,
}: LifecycleDeps): Promise<() => Promise<void>> {
  await spool.start()
  await peers.start()
  await socketReading.start()
  metrics.onScrape('memory', () => {
    metrics.receiveBudgetLimit.set(budget.limitBytes)
    metrics.receiveSpool.set(spool.used)
    metrics.receiveSpoolLimit.set(spool.maxBytes)
  })
  // A request with a slow client saves no progress for a while; its lock must not look abandoned.
  const timer = setInterval(() => {
    hot.renew(peers.holders).catch((err: unknown) => {
      logger.warn({ err }, 'leases were not renewed; saving progress will renew them, or another process takes over')
    })
  }, LEASE_MS / 3)
  return async () => {
    await peers.yieldAll()
    clearInterval(timer)
  }
}
