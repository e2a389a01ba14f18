// Releases a lease whatever is away: one that stays behind counts as a worker's death.

import { hasCode } from '../../src/core/errors.ts'
import type { Logger } from '../../src/core/logger.ts'
import { retry } from '../../src/core/retry.ts'
import { LANE_LEASE_MS, type LaneLease } from '../../src/lifecycle/lane-leases.ts'
import type { RunEnd } from '../../src/lifecycle/lane-states.ts'
import type { WorkerContext } from '../worker-context.ts'
import { SHUTDOWN } from './job-released.ts'

type Released = { lease: LaneLease; cancelled: AbortSignal | undefined; logger: Logger }

/**
 * Never rejects. An outage of Redis or of the store, which ends all runs at once, is waited for; but not by a worker that
 * goes.
 */
export async function releaseLease(
  deps: Pick<WorkerContext, 'leases'>,
  { lease, cancelled, logger }: Released,
  end?: RunEnd,
): Promise<void> {
  const isPassing = (err: unknown) => {
    const passes = hasCode(err, 'REDIS_UNAVAILABLE') || hasCode(err, 'STORE_UNAVAILABLE')
    if (cancelled?.reason === SHUTDOWN) return false
    if (passes) logger.warn({ err }, 'lane lease not released; trying again')
    return passes
  }
  const limits = { holdMs: LANE_LEASE_MS, firstPauseMs: 1000, longestPauseMs: 10_000, isPassing }
  await retry(() => deps.leases.release(lease, end), limits).catch((err: unknown) =>
    logger.warn({ err }, 'lane lease not released'),
  )
}
