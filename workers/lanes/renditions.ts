// Makes one rendition in the scratch folder: a watchable MP4, a poster, the picture of a page.

import { faultPoint } from '../../src/core/fault-points.ts'
import type { Container } from '../../src/core/identify.ts'
import type { Logger } from '../../src/core/logger.ts'
import type { Measured, Rendition } from '../../src/records/upload-record.ts'
import type { RenditionRule } from '../../src/submissions/profiles/schema.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { isDecodable } from '../media/input.ts'
import { renderPage } from '../media/pdf-page.ts'
import { planVideo, type VideoPlan, type VideoRendition } from '../media/plan.ts'
import { makePoster } from '../media/poster.ts'
import { type ProbeResult, probe, type ToolContext } from '../media/probe.ts'
import { withScratch } from '../media/scratch.ts'
import { fileSource, type LocalSource } from '../media/source.ts'
import { withMeasuredStreams } from '../media/streams.ts'
import { ToolError } from '../media/tool-error.ts'
import { transcode } from '../media/transcode.ts'
import type { WorkerContext } from '../worker-context.ts'
import { findGaps } from './find-gaps.ts'
import { jpegSize } from './jpeg-size.ts'
import type { LaneRun } from './run-lane.ts'
import { copyBytes, localFile, storedFile } from './stored-file.ts'

const DEFAULT_SHORT_SIDE_PX = 720
const DEFAULT_VIDEO_BITS = 2_500_000
const DEFAULT_AUDIO_BITS = 128_000
/** Space for outputs besides a copy of the input: pictures, and an MP4 of unknown size. */
const OUTPUT_BYTES = 64 * 1024 * 1024

/** The file on this machine, and what the tools need to work on it. */
export type RenditionInput = {
  context: ToolContext
  source: LocalSource
  path: (name: string) => string
  measured: Measured
  threads: number
  logger: Logger
  onProgress: LaneRun['progress']['report']
  /** Probed once, when the first rendition of a video is made. */
  probed: () => Promise<ProbeResult>
}

export type RenditionOutput = {
  path: string
  fileName: string
  contentType: string
  bytes: number
  width: number
  height: number
  durationSeconds?: { durationSeconds: number }
  /** A limitation of the rendition, which can still be shown. */
  reason?: string
}

/** Runs `job` with the received file, copied from a bucket into a scratch folder that is deleted afterwards. */
export async function withRenditionInput(
  deps: WorkerContext,
  run: LaneRun,
  job: (material: RenditionInput) => Promise<void>,
): Promise<void> {
  const { record, signal, progress } = run
  const { measured } = record
  if (measured === null) throw new Error('accepted without measurements')
  const stored = await storedFile(deps.store, record)
  const needBytes = copyBytes(stored) + outputBytes(measured, stored.bytes)
  await withScratch(deps.room, run.jobId, needBytes, async (scratch) => {
    const { source } = await localFile(stored, scratch, { signal })
    const context = { runner: deps.runner, cwd: scratch.dir, signal }
    let probing: Promise<ProbeResult> | undefined
    await job({
      context,
      source,
      measured,
      threads: deps.threads,
      logger: run.logger,
      path: scratch.path,
      onProgress: progress.report,
      probed: () => {
        probing ??= probe(context, source, measured.container as Container).then((seen) =>
          withMeasuredStreams(seen, measured),
        )
        return probing
      },
    })
  })
}

function outputBytes(measured: Measured, inputBytes: number): number {
  if (measured.kind !== 'video') return OUTPUT_BYTES
  const encoded = ((judgedDurationSeconds(measured) ?? 0) * (DEFAULT_VIDEO_BITS + DEFAULT_AUDIO_BITS)) / 8
  return OUTPUT_BYTES + Math.ceil(Math.max(encoded, inputBytes * 1.1))
}

export type RenditionRequest = {
  rule: RenditionRule
  /** Ready renditions; one that would only repeat them is skipped. */
  earlier: readonly Rendition[]
}

/**
 * @returns the rendition, or why it is not needed
 * @throws {ToolError}
 */
export async function makeRendition(
  material: RenditionInput,
  order: RenditionRequest,
): Promise<RenditionOutput | { skipped: string }> {
  switch (order.rule.kind) {
    case 'mp4':
      return await makeMp4(material, order)
    case 'poster':
      return await poster(material, order.rule)
    case 'page':
      return await page(material, order.rule)
  }
}

async function makeMp4(
  material: RenditionInput,
  { rule, earlier }: RenditionRequest,
): Promise<RenditionOutput | { skipped: string }> {
  const { video } = await material.probed()
  if (video === null) throw new ToolError('INPUT_UNREADABLE', 'input', 'no picture in the file')
  const shortSide = Math.min(video.displayWidth, video.displayHeight)
  const covered = earlier.some(
    ({ kind, width = 0, height = 0 }) => kind === 'mp4' && Math.min(width, height) >= shortSide,
  )
  if (covered && !rule.required) return { skipped: 'SOURCE_NOT_LARGER' }
  const ways = await waysOf(material, rule)
  let refusal: ToolError | undefined
  for (const way of ways) {
    try {
      const made = await mp4(material, rule, way)
      return way.name === 'without-sound' ? { ...made, reason: 'SOUND_LEFT_OUT' } : made
    } catch (error) {
      if (!(error instanceof ToolError) || error.code !== 'OUTPUT_INVALID') throw error
      refusal ??= error
    }
  }
  throw refusal ?? new ToolError('INPUT_UNREADABLE', 'input', 'nothing to show in the file')
}

type Way = { name: 'as-planned' | 'encoded' | 'other-sound' | 'without-sound'; plan: VideoPlan }

/**
 * All methods to make the MP4, the best first. The same input gives the same output, so a method is not repeated after our
 * own check has refused its output. Copied streams may have wrong timestamps, and an audio track may be unusable.
 */
async function waysOf(material: RenditionInput, rule: RenditionRule): Promise<Way[]> {
  const probe = await material.probed()
  const planned = planVideo(probe, videoRendition(rule, true))
  const encoded = planVideo(probe, videoRendition(rule, false))
  const spare = probe.audios.find(({ index, codec }) => index !== probe.audio?.index && isDecodable(codec))
  const other = spare === undefined ? null : planVideo({ ...probe, audio: spare }, videoRendition(rule, false))
  const silent = planVideo({ ...probe, audio: null }, videoRendition(rule, false))
  const keeps = planned?.video.how === 'copy' || planned?.audio?.how === 'copy'
  const isKept = planned !== null && !(keeps && (await hasGaps(material, probe)))
  return [
    ...(!isKept ? [] : [{ name: 'as-planned' as const, plan: planned }]),
    ...(encoded === null || !keeps ? [] : [{ name: 'encoded' as const, plan: encoded }]),
    ...(other === null || probe.audio === null ? [] : [{ name: 'other-sound' as const, plan: other }]),
    ...(silent === null || probe.audio === null ? [] : [{ name: 'without-sound' as const, plan: silent }]),
  ]
}

/** Players stop at a packet that they cannot decode, so the streams of a damaged recording are not copied. */
async function hasGaps({ context, source, measured, logger }: RenditionInput, probe: ProbeResult): Promise<boolean> {
  if (measured.gaps !== undefined || measured.tornEnd) return true
  // The inspection, which decodes, may run later: here the packets are checked.
  const decoded = { seenSeconds: null, heardSeconds: null }
  const { gaps } = await findGaps({ ...context, logger }, source, measured, probe, decoded)
  return gaps.length > 0
}

async function mp4(
  { context, source, measured, threads, onProgress, path: pathOf }: RenditionInput,
  rule: RenditionRule,
  way: Way,
): Promise<RenditionOutput> {
  const durationSeconds = judgedDurationSeconds(measured)
  if (durationSeconds === undefined) throw new ToolError('INPUT_UNREADABLE', 'input', 'nothing to show in the file')
  const fileName = `${rule.name}.mp4`
  const made = await transcode(context, source, {
    plan: way.plan,
    container: measured.container as Container,
    outputPath: pathOf(`${way.name}-${fileName}`),
    durationSeconds,
    threads,
    ignoreEditList: durationSeconds !== measured.editedDurationSeconds,
    onProgress: ({ percent, etaSeconds }) => {
      faultPoint('transcode.ffmpeg-running')
      onProgress(percent, etaSeconds)
    },
  })
  const { path, bytes, width, height } = made
  const length = { durationSeconds: made.durationSeconds }
  return { path, fileName, contentType: 'video/mp4', bytes, width, height, durationSeconds: length }
}

function videoRendition(rule: RenditionRule, allowCopy: boolean): VideoRendition {
  return {
    name: rule.name,
    maxShortSidePx: rule.maxShortSidePixels ?? DEFAULT_SHORT_SIDE_PX,
    maxFramesPerSecond: (rule.maxFramesPerSecond ?? 30) >= 60 ? 60 : 30,
    crf: 23,
    preset: 'veryfast',
    maxVideoBitsPerSecond: rule.videoBitsPerSecond ?? DEFAULT_VIDEO_BITS,
    audioBitsPerSecond: rule.audioBitsPerSecond ?? DEFAULT_AUDIO_BITS,
    allowCopy,
  }
}

async function poster(material: RenditionInput, rule: RenditionRule): Promise<RenditionOutput> {
  const { context, source, measured } = material
  const { video } = await material.probed()
  if (video === null) throw new ToolError('INPUT_UNREADABLE', 'input', 'no picture in the file')
  const fileName = `${rule.name}.jpg`
  const { path, bytes, width, height } = await makePoster(context, source, {
    video,
    container: measured.container as Container,
    startSeconds: measured.videoStartSeconds ?? 0,
    durationSeconds: measured.videoDurationSeconds ?? judgedDurationSeconds(measured) ?? 0,
    outputPath: material.path(fileName),
    maxShortSidePx: rule.maxShortSidePixels ?? DEFAULT_SHORT_SIDE_PX,
  })
  return { path, fileName, contentType: 'image/jpeg', bytes, width, height }
}

async function page(material: RenditionInput, rule: RenditionRule): Promise<RenditionOutput> {
  const { context, source } = material
  const maxSidePx = rule.maxShortSidePixels === undefined ? 1280 : Math.round(rule.maxShortSidePixels * 1.415)
  const { path, bytes } = await renderPage(context, source.path, { maxSidePx })
  const { width, height } = await jpegSize(await fileSource(path))
  return { path, fileName: `${rule.name}.jpg`, contentType: 'image/jpeg', bytes, width, height }
}
