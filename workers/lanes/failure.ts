// Records the failure of a lane: a system error; the file is kept and the lane retried later.

import { AppError } from '../../src/core/errors.ts'
import type { LaneLease } from '../../src/lifecycle/lane-leases.ts'
import { laneFailed } from '../../src/lifecycle/transitions.ts'
import { ToolError } from '../media/tool-error.ts'
import type { WorkerContext } from '../worker-context.ts'

/** The error is caused by the input: a retry would fail again. */
export function isInputError(error: unknown): error is ToolError {
  return error instanceof ToolError && error.source === 'input'
}

/** Marks the lane as failed. Publishes it once, independent of the number of retries. */
export async function recordFailure(
  deps: Pick<WorkerContext, 'completion' | 'leases' | 'clock'>,
  lease: LaneLease,
  error: unknown,
): Promise<void> {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof ToolError || error instanceof AppError ? error.code : 'INTERNAL'
  await deps.leases.commit(lease, async (current) => {
    const sequence = current.error === null ? await deps.completion.nextSequence(current, current) : null
    return laneFailed(current, lease.lane, { message, code, final: false, sequence, atMs: deps.clock.now() })
  })
}
