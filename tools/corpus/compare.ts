// Compares the expectation with the result: every difference as a text.

import type { Bounds, Cost, Expected, ExpectedRendition, Got, GotRendition, Look, Row } from './model.ts'
import { BOUNDS } from './model.ts'

const DEFAULT_WITHIN_SECONDS = 0.25
/** Limits of every video rendition of the shipped profiles. */
const MAX_RENDITION = { shortSide: 720, framesPerSecond: 30 * 1.01, channels: 2 }

export function differences(row: Row, got: Got, cost: Cost): string[] {
  return [
    ...inVerdict(row.expect, got),
    ...inMeasures(row.expect, got),
    ...(got.state === 'ready' ? inRenditions(row.expect, got) : []),
    ...(got.state === 'rejected' && got.renditions.some(isMade) ? ['a rejected file has renditions'] : []),
    ...beyond({ ...BOUNDS, ...row.bounds }, cost),
  ]
}

/** Planned renditions may stay in the record: after a change of the profile the file can still be accepted. */
function isMade({ state }: GotRendition): boolean {
  return state === 'ready' || state === 'failed'
}

function inVerdict(expect: Expected, got: Got): string[] {
  const errors: string[] = []
  if (got.state !== expect.state) errors.push(`${got.state}, not ${expect.state}`)
  if (got.error !== null) errors.push(`system error: ${got.error}`)
  const expected: Record<string, string> = expect.problems
  for (const [code, severity] of Object.entries(expected)) {
    const found = got.problems[code]
    if (found === undefined) errors.push(`${code} is missing`)
    else if (found !== severity) errors.push(`${code} is ${found}, not ${severity}`)
  }
  for (const [code, severity] of Object.entries(got.problems))
    if (!(code in expected)) errors.push(`${code} (${severity}) is not expected`)
  return errors
}

function inMeasures({ measured, seconds, within = DEFAULT_WITHIN_SECONDS }: Expected, got: Got): string[] {
  const errors = Object.entries(measured).flatMap(([field, value]) => {
    const found = got.measured?.[field as keyof typeof measured]
    return JSON.stringify(found) === JSON.stringify(value)
      ? []
      : [`${field} ${JSON.stringify(found)}, not ${JSON.stringify(value)}`]
  })
  if (seconds !== undefined && !(Math.abs((got.seconds ?? Number.NaN) - seconds) <= within))
    errors.push(`${got.seconds?.toFixed(3) ?? 'no'} seconds, not ${seconds} ± ${within}`)
  return errors
}

function inRenditions(expect: Expected, got: Got): string[] {
  return got.renditions.flatMap((rendition) => {
    const wanted = expect.renditions?.[rendition.name] ?? { state: 'ready' as const }
    return differs(rendition, wanted, expect).map((error) => `${rendition.name}: ${error}`)
  })
}

function differs(rendition: GotRendition, wanted: ExpectedRendition, expect: Expected): string[] {
  const errors: string[] = []
  if (rendition.state !== wanted.state)
    errors.push(
      `${rendition.state}${rendition.reason === undefined ? '' : ` (${rendition.reason})`}, not ${wanted.state}`,
    )
  if (wanted.reason !== undefined && rendition.reason !== wanted.reason)
    errors.push(`${rendition.reason}, not ${wanted.reason}`)
  const { look } = rendition
  if (rendition.state !== 'ready') return errors
  if (look === undefined) return [...errors, 'it was not published']
  if (look.secrets.length > 0) errors.push(`contains ${look.secrets.join(', ')}`)
  if (look.decodeErrors > 0) errors.push(`${look.decodeErrors} decode errors`)
  const turned = Math.abs(look.rotation) === 90
  const [width, height] = turned ? [look.height, look.width] : [look.width, look.height]
  const size = `${width}x${height}`
  const wantedSize = `${wanted.width ?? width}x${wanted.height ?? height}`
  if (size !== wantedSize) errors.push(`${size}, not ${wantedSize}`)
  if (size !== `${rendition.width}x${rendition.height}`)
    errors.push(`${size}, though the record says ${rendition.width}x${rendition.height}`)
  return rendition.kind === 'mp4' ? [...errors, ...inVideo(look, wanted, expect)] : errors
}

/** Must play in every browser and contain no personal data. */
function inVideo(look: Look, wanted: ExpectedRendition, expect: Expected): string[] {
  const errors: string[] = []
  const seconds = wanted.seconds ?? expect.seconds
  if (look.videoCodec !== 'h264') errors.push(`video ${look.videoCodec}`)
  if (look.pixelFormat !== 'yuv420p' && look.pixelFormat !== 'yuvj420p') errors.push(`pixels ${look.pixelFormat}`)
  if (Math.min(look.width, look.height) > MAX_RENDITION.shortSide) errors.push('larger than allowed')
  if ((look.framesPerSecond ?? 0) > MAX_RENDITION.framesPerSecond) errors.push(`${look.framesPerSecond} frames/s`)
  if (wanted.framesPerSecond !== undefined && Math.abs((look.framesPerSecond ?? 0) - wanted.framesPerSecond) > 0.1)
    errors.push(`${look.framesPerSecond} frames/s, not ${wanted.framesPerSecond}`)
  if (wanted.pixelFormat !== undefined && look.pixelFormat !== wanted.pixelFormat)
    errors.push(`pixels ${look.pixelFormat}, not ${wanted.pixelFormat}`)
  if (look.audioCodec !== null && look.audioCodec !== 'aac') errors.push(`audio ${look.audioCodec}`)
  if ((look.channels ?? 0) > MAX_RENDITION.channels) errors.push(`${look.channels} channels`)
  if (wanted.channels !== undefined && look.channels !== wanted.channels)
    errors.push(`${look.channels} channels, not ${wanted.channels}`)
  if (look.otherStreams > 0) errors.push(`${look.otherStreams} unexpected streams`)
  if (!look.indexFirst) errors.push('the index is not in front')
  if (look.strayTags.length > 0) errors.push(`tags: ${look.strayTags.join(', ')}`)
  if (seconds !== undefined && Math.abs((look.seconds ?? 0) - seconds) > Math.max(0.5, seconds * 0.01))
    errors.push(`${look.seconds} seconds, not ${seconds}`)
  return errors
}

function beyond(bounds: Bounds, cost: Cost): string[] {
  const over = (what: string, unit: string, got: number, limit: number) =>
    got > limit ? [`${Math.round(got)} ${unit} ${what}, more than ${limit}`] : []
  return [
    ...over('taken', 's', cost.seconds, bounds.seconds),
    ...over(`in ${cost.tool}`, 'MiB', cost.toolMebibytes, bounds.toolMebibytes),
    ...over('in the worker', 'MiB', cost.ownMebibytes, bounds.ownMebibytes),
  ]
}
