// Keeps a lane's lease while its run goes on.

import type { Logger } from '../../src/core/logger.ts'
import type { LaneLease } from '../../src/lifecycle/lane-leases.ts'
import type { WorkerContext } from '../worker-context.ts'

const AGAIN_MS = 5000

/**
 * Renews the lease at each third of its life. What fails is repeated every five seconds, without end: an outage of the store
 * ends all renewals at once, and who is back first must not find a lease of somebody who is still at work run out.
 *
 * @param onLost another run has the lease, or the upload has ended
 * @returns a function that ends the renewals
 */
export function keepLease(
  { leases }: Pick<WorkerContext, 'leases'>,
  lease: LaneLease,
  onLost: () => void,
  logger: Logger,
): () => void {
  const everyMs = lease.leaseMs / 3
  let ended = false
  let timer = setTimeout(renew, everyMs)
  async function renew(): Promise<void> {
    let pauseMs = everyMs
    try {
      const isHeld = await leases.renew(lease)
      if (ended) return
      if (!isHeld) return onLost()
    } catch (err) {
      logger.warn({ err }, 'lane lease not renewed; trying again')
      pauseMs = Math.min(AGAIN_MS, everyMs)
    }
    if (!ended) timer = setTimeout(renew, pauseMs)
  }
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
