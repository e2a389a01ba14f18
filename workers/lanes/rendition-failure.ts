// Whether a failed rendition is retried. Errors of the machine and the store are temporary; a tool that fails because of
// the file fails again.

import { ToolError, type ToolErrorCode } from '../media/tool-error.ts'
import type { LaneRun } from './run-lane.ts'

/** System errors that depend on this file with this tool: they happen again. */
const STICKY: ReadonlySet<ToolErrorCode> = new Set(['TOOL_TIMEOUT', 'TOOL_STALLED', 'TOOL_KILLED'])
/** Attempts of the lane on one upload, over all pauses; a restart of the worker uses one too. */
const STICKY_ATTEMPTS = 12

/** True: the rendition is `failed` and not retried. False: the job is retried. */
export function givesUp(
  error: unknown,
  { required, run }: { required: boolean; run: Pick<LaneRun, 'lastAttempt' | 'record'> },
): boolean {
  if (!(error instanceof ToolError)) return false
  if (error.source === 'input') return true
  // Every method has failed: the same input gives the same output.
  if (error.code === 'OUTPUT_INVALID') return true
  if (!required) return run.lastAttempt
  return STICKY.has(error.code) && (run.record.lanes.transcode?.attempts ?? 0) >= STICKY_ATTEMPTS
}

export function reasonOf(error: unknown): string {
  return error instanceof ToolError ? error.code : 'INTERNAL'
}
