// Makes one rendition and verifies it: an ffmpeg that is killed early, or whose input is cut off,
// leaves a valid, shorter MP4, the latter with exit code 0.

import { stat } from 'node:fs/promises'
import type { Container } from '../../src/core/identify.ts'
import { lengthsOf } from '../../src/media/mp4/durations.ts'
import { readMp4Index } from '../../src/media/mp4/index.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { buildTranscode } from './arguments.ts'
import { inputName, inputOptions } from './input.ts'
import type { VideoPlan } from './plan.ts'
import { probe, type ToolContext } from './probe.ts'
import { type EncodingProgress, progressMeter } from './progress.ts'
import { fileSource, type LocalSource } from './source.ts'
import { beginsClean } from './spot-decode.ts'
import { ToolError } from './tool-error.ts'

export type TranscodeJob = {
  plan: VideoPlan
  container: Container
  /** Absolute, in the scratch folder, ending in `.mp4`. */
  outputPath: string
  /** Measured, never from the header: progress and the final check depend on it. */
  durationSeconds: number
  threads: number
  /** For sources whose edit list hides more than a normal trim: the rendition then shows everything. */
  ignoreEditList?: boolean
  onProgress?: (progress: EncodingProgress) => void
  /** ffmpeg is ended after this time without progress; default 120 s, and more if moving the index to the front takes long. */
  idleMs?: number
  /** Time limit; default max(10 min, 6 × duration). */
  wallMs?: number
  /** Largest output; default from the rendition's bit rates, with a margin. */
  maxOutputBytes?: number
}

export type TranscodeResult = {
  path: string
  bytes: number
  durationSeconds: number
  width: number
  height: number
  videoCodec: string
  audioCodec: string | null
  mode: VideoPlan['mode']
}

/**
 * Runs a plan and verifies what came out.
 *
 * @throws {ToolError} of the run, or `OUTPUT_INVALID` (system) if the output is not as planned
 */
export async function transcode(
  context: ToolContext,
  source: LocalSource,
  job: TranscodeJob,
): Promise<TranscodeResult> {
  const meter = progressMeter(job.durationSeconds, Date.now)
  const maxOutputBytes = job.maxOutputBytes ?? expectedOutputBytes(source, job.plan, job.durationSeconds)
  const wallMs = job.wallMs ?? Math.max(600_000, job.durationSeconds * 6_000)
  await context.runner.run({
    tool: 'ffmpeg',
    args: buildTranscode({
      plan: job.plan,
      inputOptions: inputOptions({
        container: job.container,
        ignoreEditList: job.ignoreEditList ?? false,
      }),
      input: inputName(source),
      outputPath: job.outputPath,
      threads: job.threads,
    }),
    limits: {
      wallMs,
      cpuSeconds: Math.ceil((wallMs / 1000) * job.threads * 2),
      memoryBytes: 6 * 1024 ** 3,
      outputBytes: 64 * 1024,
      fileBytes: maxOutputBytes,
    },
    cwd: context.cwd,
    signal: context.signal,
    // At the end `+faststart` moves the complete file without reporting progress; a slow disk does 20 MB/s.
    idleMs: job.idleMs ?? Math.max(120_000, maxOutputBytes / 20_000),
    onProgress: (block) => job.onProgress?.(meter(block)),
    reads: [source.path],
    writes: [job.outputPath],
  })
  return await verifyRendition(context, job)
}

/** An upper bound, for the file-size limit and for the admission by free space. */
function expectedOutputBytes(source: LocalSource, plan: VideoPlan, durationSeconds: number): number {
  const margin = 16 * 1024 * 1024
  if (plan.video.how === 'copy') return Math.ceil(source.bytes * 1.1) + margin
  const bitsPerSecond = plan.rendition.maxVideoBitsPerSecond + plan.rendition.audioBitsPerSecond * 2
  return Math.ceil((durationSeconds * bitsPerSecond * 1.25) / 8) + margin
}

/** Tolerance for rounding of frames and sound; on an hour, for streams that end at different times. */
function durationToleranceSeconds(durationSeconds: number): number {
  return Math.max(1.5, durationSeconds * 0.002)
}

/** Checks the finished file like an uploaded one. */
async function verifyRendition(context: ToolContext, job: TranscodeJob): Promise<TranscodeResult> {
  const made = await stat(job.outputPath).catch(() => null)
  if (made === null || made.size === 0) throw invalid('ffmpeg wrote nothing')
  const output = await fileSource(job.outputPath)
  const index = await readMp4Index(output)
  if (index.problem !== null) throw invalid(`the output's index says ${index.problem}`)
  if (!index.streamable) throw invalid('the index does not come first')
  const durationSeconds = judgedDurationSeconds(lengthsOf(index.durations)) ?? 0
  if (Math.abs(durationSeconds - job.durationSeconds) > durationToleranceSeconds(job.durationSeconds)) {
    throw invalid(`${durationSeconds.toFixed(2)} s came out of ${job.durationSeconds.toFixed(2)} s`)
  }
  const seen = await probe(context, output, 'mp4')
  const { plan } = job
  if (seen.video === null || seen.otherStreams > 0) throw invalid('not the streams that were planned')
  if ((plan.audio === null) !== (seen.audio === null)) throw invalid('sound lost or invented')
  // A copied stream keeps its matrix, so the displayed size is compared.
  if (seen.video.displayWidth !== plan.width || seen.video.displayHeight !== plan.height) {
    throw invalid(`${seen.video.displayWidth}x${seen.video.displayHeight} instead of ${plan.width}x${plan.height}`)
  }
  // A part cut from a film without encoding may begin with frames that depend on missing ones: then it is encoded.
  if (plan.video.how === 'copy' && !(await beginsClean(context, output, seen.video.index)))
    throw invalid('its first pictures do not decode')
  return {
    path: job.outputPath,
    bytes: made.size,
    durationSeconds,
    width: plan.width,
    height: plan.height,
    videoCodec: seen.video.codec,
    audioCodec: seen.audio?.codec ?? null,
    mode: plan.mode,
  }
}

function invalid(detail: string): ToolError {
  return new ToolError('OUTPUT_INVALID', 'system', `the rendition is unusable: ${detail}`)
}
