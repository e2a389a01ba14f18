// Whether a rendition that could not be made is tried again. The machine's and the store's troubles pass; a file that a
// tool chokes on does not get better.

import { ToolError, type ToolErrorCode } from '../media/tool-error.ts'
import type { LaneRun } from './run-lane.ts'

/** Ours, yet of this file with this tool: it happens again. */
const STICKY: ReadonlySet<ToolErrorCode> = new Set(['TOOL_TIMEOUT', 'TOOL_STALLED', 'TOOL_KILLED'])
/** Of the lane on one upload, over all pauses; a worker that was restarted costs one too. */
const STICKY_ATTEMPTS = 12

/** True: the rendition is `failed` for good. False: the job is tried again. */
export function givesUp(
  error: unknown,
  { required, run }: { required: boolean; run: Pick<LaneRun, 'lastAttempt' | 'record'> },
): boolean {
  if (!(error instanceof ToolError)) return false
  if (error.source === 'input') return true
  // Refused in every way there is: the same input gives the same output.
  if (error.code === 'OUTPUT_INVALID') return true
  if (!required) return run.lastAttempt
  return STICKY.has(error.code) && (run.record.lanes.transcode?.attempts ?? 0) >= STICKY_ATTEMPTS
}

export function reasonOf(error: unknown): string {
  return error instanceof ToolError ? error.code : 'INTERNAL'
}
