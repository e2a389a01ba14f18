// Expected against got: every difference in words.

import type { Bounds, Cost, Expected, ExpectedRendition, Got, GotRendition, Look, Row } from './model.ts'
import { BOUNDS } from './model.ts'

const DEFAULT_WITHIN_SECONDS = 0.25
/** Of the rules of the shipped profiles: what every rendition of a video keeps to. */
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

/** The list of what would be made may stay: a changed profile can accept the file after all. */
function isMade({ state }: GotRendition): boolean {
  return state === 'ready' || state === 'failed'
}

function inVerdict(expect: Expected, got: Got): string[] {
  const faults: string[] = []
  if (got.state !== expect.state) faults.push(`${got.state}, not ${expect.state}`)
  if (got.error !== null) faults.push(`a fault of ours: ${got.error}`)
  const expected: Record<string, string> = expect.problems
  for (const [code, severity] of Object.entries(expected)) {
    const found = got.problems[code]
    if (found === undefined) faults.push(`${code} is missing`)
    else if (found !== severity) faults.push(`${code} is ${found}, not ${severity}`)
  }
  for (const [code, severity] of Object.entries(got.problems))
    if (!(code in expected)) faults.push(`${code} (${severity}) is not expected`)
  return faults
}

function inMeasures({ measured, seconds, within = DEFAULT_WITHIN_SECONDS }: Expected, got: Got): string[] {
  const faults = Object.entries(measured).flatMap(([field, value]) => {
    const found = got.measured?.[field as keyof typeof measured]
    return JSON.stringify(found) === JSON.stringify(value)
      ? []
      : [`${field} ${JSON.stringify(found)}, not ${JSON.stringify(value)}`]
  })
  if (seconds !== undefined && !(Math.abs((got.seconds ?? Number.NaN) - seconds) <= within))
    faults.push(`${got.seconds?.toFixed(3) ?? 'no'} seconds, not ${seconds} ± ${within}`)
  return faults
}

function inRenditions(expect: Expected, got: Got): string[] {
  return got.renditions.flatMap((rendition) => {
    const wanted = expect.renditions?.[rendition.name] ?? { state: 'ready' as const }
    return differs(rendition, wanted, expect).map((fault) => `${rendition.name}: ${fault}`)
  })
}

function differs(rendition: GotRendition, wanted: ExpectedRendition, expect: Expected): string[] {
  const faults: string[] = []
  if (rendition.state !== wanted.state)
    faults.push(
      `${rendition.state}${rendition.reason === undefined ? '' : ` (${rendition.reason})`}, not ${wanted.state}`,
    )
  if (wanted.reason !== undefined && rendition.reason !== wanted.reason)
    faults.push(`${rendition.reason}, not ${wanted.reason}`)
  const { look } = rendition
  if (rendition.state !== 'ready') return faults
  if (look === undefined) return [...faults, 'it was not published']
  if (look.secrets.length > 0) faults.push(`it says ${look.secrets.join(', ')}`)
  if (look.decodeErrors > 0) faults.push(`${look.decodeErrors} complaints while it is decoded`)
  const turned = Math.abs(look.rotation) === 90
  const [width, height] = turned ? [look.height, look.width] : [look.width, look.height]
  const size = `${width}x${height}`
  const wantedSize = `${wanted.width ?? width}x${wanted.height ?? height}`
  if (size !== wantedSize) faults.push(`${size}, not ${wantedSize}`)
  if (size !== `${rendition.width}x${rendition.height}`)
    faults.push(`${size}, though the record says ${rendition.width}x${rendition.height}`)
  return rendition.kind === 'mp4' ? [...faults, ...inVideo(look, wanted, expect)] : faults
}

/** What every browser plays, and nothing about anybody. */
function inVideo(look: Look, wanted: ExpectedRendition, expect: Expected): string[] {
  const faults: string[] = []
  const seconds = wanted.seconds ?? expect.seconds
  if (look.videoCodec !== 'h264') faults.push(`picture ${look.videoCodec}`)
  if (look.pixelFormat !== 'yuv420p' && look.pixelFormat !== 'yuvj420p') faults.push(`pixels ${look.pixelFormat}`)
  if (Math.min(look.width, look.height) > MAX_RENDITION.shortSide) faults.push('larger than it may be')
  if ((look.framesPerSecond ?? 0) > MAX_RENDITION.framesPerSecond) faults.push(`${look.framesPerSecond} frames/s`)
  if (wanted.framesPerSecond !== undefined && Math.abs((look.framesPerSecond ?? 0) - wanted.framesPerSecond) > 0.1)
    faults.push(`${look.framesPerSecond} frames/s, not ${wanted.framesPerSecond}`)
  if (wanted.pixelFormat !== undefined && look.pixelFormat !== wanted.pixelFormat)
    faults.push(`pixels ${look.pixelFormat}, not ${wanted.pixelFormat}`)
  if (look.audioCodec !== null && look.audioCodec !== 'aac') faults.push(`sound ${look.audioCodec}`)
  if ((look.channels ?? 0) > MAX_RENDITION.channels) faults.push(`${look.channels} channels`)
  if (wanted.channels !== undefined && look.channels !== wanted.channels)
    faults.push(`${look.channels} channels, not ${wanted.channels}`)
  if (look.otherStreams > 0) faults.push(`${look.otherStreams} streams too many`)
  if (!look.indexFirst) faults.push('its index comes last')
  if (look.strayTags.length > 0) faults.push(`tags: ${look.strayTags.join(', ')}`)
  if (seconds !== undefined && Math.abs((look.seconds ?? 0) - seconds) > Math.max(0.5, seconds * 0.01))
    faults.push(`${look.seconds} seconds, not ${seconds}`)
  return faults
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
