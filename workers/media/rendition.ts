// A rendition by the cheapest way that works: streams are kept where the probe says that browsers play them, and encoded
// after all when the result of keeping them is not sound. Old containers hold H.264 without the times that an MP4 needs,
// which only shows when it is tried.

import { planVideo, type VideoPlan, type VideoRendition } from './plan.ts'
import type { ProbeResult, ToolContext } from './probe.ts'
import type { LocalSource } from './source.ts'
import { ToolError } from './tool-error.ts'
import { type TranscodeJob, type TranscodeResult, transcode } from './transcode.ts'

export type RenditionJob = Omit<TranscodeJob, 'plan'> & {
  probe: ProbeResult
  rendition: VideoRendition
  /** Told before each attempt, for logs. */
  onPlan?: (plan: VideoPlan) => void
}

/**
 * Plans, makes and verifies a rendition; at most two attempts.
 *
 * @throws {ToolError} of the last attempt; `INPUT_UNREADABLE` when there is no video stream
 */
export async function makeRendition(
  context: ToolContext,
  source: LocalSource,
  job: RenditionJob,
): Promise<TranscodeResult> {
  const { probe, rendition, onPlan, ...rest } = job
  const attempt = async (allowCopy: boolean): Promise<TranscodeResult> => {
    const plan = planVideo(probe, { ...rendition, allowCopy })
    if (plan === null)
      throw new ToolError('INPUT_UNREADABLE', 'input', 'there is no video stream to be shown')
    onPlan?.(plan)
    return await transcode(context, source, { ...rest, plan })
  }
  if (!rendition.allowCopy) return await attempt(false)
  try {
    return await attempt(true)
  } catch (error) {
    if (!(error instanceof ToolError) || !RETRY_BY_ENCODING.has(error.code)) throw error
    return await attempt(false)
  }
}

/** What copying can fail by and encoding can mend; a full disk or an abort is none of it. */
const RETRY_BY_ENCODING = new Set(['INPUT_UNREADABLE', 'OUTPUT_INVALID', 'TOOL_OUTPUT_LIMIT'])
