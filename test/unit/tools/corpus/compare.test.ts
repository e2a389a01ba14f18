// What the corpus calls a difference: each of them has to be found.

import { describe, expect, it } from 'vitest'
import { differences } from '../../../../tools/corpus/compare.ts'
import type { Cost, Got, GotRendition, Look, Row } from '../../../../tools/corpus/model.ts'
import { CLIP, rowsOf } from '../../../../tools/corpus/rows/places.ts'

const row: Row = rowsOf('recordings', CLIP, { kind: 'video', container: 'mp4' })(
  'a',
  'a lesson',
  () => Promise.resolve(''),
  {
    expect: {
      problems: { LOW_RESOLUTION: 'warn' },
      seconds: 4,
      renditions: { video: { state: 'ready', width: 320, height: 180, channels: 1 } },
    },
  },
)
const look: Look = {
  videoCodec: 'h264',
  pixelFormat: 'yuv420p',
  width: 320,
  height: 180,
  rotation: 0,
  framesPerSecond: 25,
  audioCodec: 'aac',
  channels: 1,
  seconds: 4.02,
  otherStreams: 0,
  indexFirst: true,
  decodeErrors: 0,
  strayTags: [],
  secrets: [],
}
const video: GotRendition = { name: 'video', kind: 'mp4', state: 'ready', width: 320, height: 180, look }
const got: Got = {
  state: 'ready',
  problems: { LOW_RESOLUTION: 'warn' },
  seconds: 4.01,
  renditions: [video],
  error: null,
  measured: { kind: 'video', container: 'mp4' },
}
const cost: Cost = { seconds: 2, toolMebibytes: 60, ownMebibytes: 5, tool: 'ffmpeg' }

const withVideo = (change: Partial<GotRendition>): Got => ({ ...got, renditions: [{ ...video, ...change }] })
const withLook = (change: Partial<Look>): Got => withVideo({ look: { ...look, ...change } })

describe('differences', () => {
  it('are none if all is as expected', () => {
    expect(differences(row, got, cost)).toEqual([])
  })

  it.each<[string, Got]>([
    ['rejected, not ready', { ...got, state: 'rejected', renditions: [] }],
    ['a rejected file has renditions', { ...got, state: 'rejected' }],
    ['system error: TOOL_STALLED', { ...got, error: 'TOOL_STALLED' }],
    ['LOW_RESOLUTION is missing', { ...got, problems: {} }],
    ['LOW_RESOLUTION is reject, not warn', { ...got, problems: { LOW_RESOLUTION: 'reject' } }],
    ['NO_AUDIO (reject) is not expected', { ...got, problems: { ...got.problems, NO_AUDIO: 'reject' } }],
    ['container "mov", not "mp4"', { ...got, measured: { kind: 'video', container: 'mov' } }],
    ['kind undefined', { ...got, measured: null }],
    ['5.000 seconds, not 4', { ...got, seconds: 5 }],
    ['no seconds', { ...got, seconds: undefined }],
    ['video: failed (OUTPUT_INVALID), not ready', withVideo({ state: 'failed', reason: 'OUTPUT_INVALID' })],
    ['video: 180x320, not 320x180', withLook({ rotation: -90 })],
    ['though the record says 640x360', withVideo({ width: 640, height: 360 })],
    ['contains secret', withLook({ secrets: ['secret'] })],
    ['2 decode errors', withLook({ decodeErrors: 2 })],
    ['video hevc', withLook({ videoCodec: 'hevc' })],
    ['pixels yuv420p10le', withLook({ pixelFormat: 'yuv420p10le' })],
    ['60 frames/s', withLook({ framesPerSecond: 60 })],
    ['audio opus', withLook({ audioCodec: 'opus' })],
    ['6 channels', withLook({ channels: 6 })],
    ['2 channels, not 1', withLook({ channels: 2 })],
    ['1 unexpected streams', withLook({ otherStreams: 1 })],
    ['the index is not in front', withLook({ indexFirst: false })],
    ['tags: location', withLook({ strayTags: ['location'] })],
    ['2 seconds, not 4', withLook({ seconds: 2 })],
  ])('report: %s', (words, wrong) => {
    expect(differences(row, wrong, cost).join('; ')).toContain(words)
  })

  it('report a missing published rendition', () => {
    const { look: _, ...unpublished } = video
    expect(differences(row, { ...got, renditions: [unpublished] }, cost)).toEqual(['video: it was not published'])
  })

  it('report what exceeded the limits of time or memory', () => {
    expect(differences(row, got, { ...cost, seconds: 61 })).toEqual(['61 s taken, more than 60'])
    expect(differences(row, got, { ...cost, toolMebibytes: 700 })).toEqual(['700 MiB in ffmpeg, more than 640'])
    expect(differences(row, got, { ...cost, ownMebibytes: 200 })).toEqual(['200 MiB in the worker, more than 192'])
    expect(differences({ ...row, bounds: { seconds: 1 } }, got, cost)).toEqual(['2 s taken, more than 1'])
  })
})
