import { describe, expect, it } from 'vitest'
import { planVideo, type VideoRendition } from '../../../../workers/media/plan.ts'
import { type ProbeResult, parseProbe } from '../../../../workers/media/probe.ts'

const RENDITION: VideoRendition = {
  name: '720p',
  maxShortSidePx: 720,
  maxFramesPerSecond: 30,
  crf: 23,
  preset: 'veryfast',
  maxVideoBitsPerSecond: 3_000_000,
  audioBitsPerSecond: 128_000,
  allowCopy: true,
}

function probed(
  video: Record<string, unknown>,
  audio: Record<string, unknown> | null = {},
  format = 'mov,mp4,m4a,3gp,3g2,mj2',
): ProbeResult {
  return parseProbe({
    format: { format_name: format },
    streams: [
      {
        index: 0,
        codec_type: 'video',
        codec_name: 'h264',
        profile: 'High',
        level: 31,
        width: 1280,
        height: 720,
        pix_fmt: 'yuv420p',
        avg_frame_rate: '25/1',
        r_frame_rate: '25/1',
        disposition: { default: 1 },
        ...video,
      },
      ...(audio === null
        ? []
        : [{ index: 1, codec_type: 'audio', codec_name: 'aac', profile: 'LC', channels: 2, ...audio }]),
    ],
  })
}
/** A display matrix as ffprobe prints it. */
const matrix = ([a = 0, b = 0, c = 0, d = 0]: number[], rotation: number): Record<string, unknown> => {
  const line = (n: number, ...numbers: number[]): string =>
    `0000000${n}: ${numbers.map((value) => String(Math.round(value)).padStart(11)).join(' ')}\n`
  const one = 0x10000
  const displaymatrix = `\n${line(0, a * one, b * one, 0)}${line(1, c * one, d * one, 0)}${line(2, 720 * one, 0, 2 ** 30)}`
  return { side_data_list: [{ side_data_type: 'Display Matrix', displaymatrix, rotation }] }
}
const plan = (...args: Parameters<typeof probed>): ReturnType<typeof planVideo> => planVideo(probed(...args), RENDITION)

describe('planVideo: remux', () => {
  it('remuxes H.264 and AAC from any container', () => {
    expect(plan({})).toMatchObject({
      mode: 'remux',
      video: { how: 'copy' },
      audio: { how: 'copy' },
      reasons: [],
    })
  })

  it('keeps a rotated picture, whose matrix players apply, and reports its displayed size', () => {
    const turned = plan({ side_data_list: [{ rotation: -90 }] })
    expect(turned).toMatchObject({ mode: 'remux', width: 720, height: 1280 })
  })

  it.each([
    [[1, 0, 0, 1], 0, 1280, 720],
    [[0, 1, -1, 0], -90, 720, 1280],
    [[-1, 0, 0, -1], -180, 1280, 720],
    [[0, -1, 1, 0], 90, 720, 1280],
  ])('keeps the quarter turn %j', (turn, rotation, width, height) => {
    expect(plan(matrix(turn, rotation))).toMatchObject({ mode: 'remux', width, height })
  })

  it('ignores any other rotation for the size', () => {
    expect(plan(matrix([0.7, 0.7, -0.7, 0.7], -45))).toMatchObject({ width: 1280, height: 720 })
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['HEVC of a phone', { codec_name: 'hevc', profile: 'Main' }, 'codec hevc'],
    ['ten bits', { profile: 'High 10', pix_fmt: 'yuv420p10le' }, 'pixels yuv420p10le'],
    ['an exotic profile', { profile: 'High 4:4:4 Predictive' }, 'profile High 4:4:4 Predictive'],
    ['interlaced', { field_order: 'tt' }, 'interlaced'],
    ['pixels not square', { sample_aspect_ratio: '4:3' }, 'pixels not square'],
    ['60 frames', { avg_frame_rate: '60/1', r_frame_rate: '60/1' }, '60.0 frames/s'],
    ['4K', { width: 3840, height: 2160 }, 'too large'],
    ['a high bit rate', { bit_rate: '9000000' }, 'too many bits'],
    ['a level that hardware refuses', { level: 52 }, 'level 52'],
    ['full range', { color_range: 'pc' }, 'full range'],
    ['full range by its pixels', { pix_fmt: 'yuvj420p' }, 'pixels yuvj420p'],
    ['a matrix of zeros', matrix([0, 0, 0, 0], -9223372036854776000), 'an odd display matrix'],
    ['a mirror image', matrix([-1, 0, 0, 1], -180), 'an odd display matrix'],
    ['a matrix that stretches', matrix([2, 0, 0, 1], 0), 'an odd display matrix'],
    ['a matrix that turns by 45 degrees', matrix([0.7, 0.7, -0.7, 0.7], -45), 'an odd display matrix'],
    ['a matrix without an inverse', matrix([1, 1, 1, 1], -45), 'an odd display matrix'],
  ])('encodes %s', (_name, stream, reason) => {
    const made = plan(stream)
    expect(made).toMatchObject({ mode: 'encode', video: { how: 'encode' }, audio: { how: 'copy' } })
    expect(made?.reasons).toContain(reason)
  })

  it.each<[string, Record<string, unknown>, 1 | 2]>([
    ['5.1', { channels: 6 }, 2],
    ['AC-3', { codec_name: 'ac3', profile: null }, 2],
    ['HE-AAC', { profile: 'HE-AAC' }, 2],
    ['Opus in mono', { codec_name: 'opus', profile: null, channels: 1 }, 1],
  ])('encodes only the sound of %s', (_name, stream, channels) => {
    expect(plan({}, stream)).toMatchObject({
      mode: 'encode',
      video: { how: 'copy' },
      audio: { how: 'encode', channels },
    })
  })

  it.each(['matroska,webm', 'mpegts', 'flv'])('remuxes the streams of %s', (format) => {
    expect(plan({}, {}, format)).toMatchObject({ mode: 'remux' })
  })

  it.each(['avi', 'mpeg', 'asf'])('encodes the picture of %s, which has no presentation times', (format) => {
    expect(plan({}, {}, format)).toMatchObject({ video: { how: 'encode' }, audio: { how: 'copy' } })
  })

  it('accepts a video without sound', () => {
    expect(plan({}, null)).toMatchObject({ mode: 'remux', audio: null })
  })

  it('makes nothing of sound alone', () => {
    expect(plan({ disposition: { attached_pic: 1 } })).toBeNull()
  })

  it('copies nothing if configured so', () => {
    expect(planVideo(probed({}), { ...RENDITION, allowCopy: false })).toMatchObject({
      mode: 'encode',
      video: { how: 'encode' },
      audio: { how: 'encode' },
    })
  })
})

describe('planVideo: how it is encoded', () => {
  const encoded = (stream: Record<string, unknown>, rendition: Partial<VideoRendition> = {}): unknown =>
    planVideo(probed({ codec_name: 'hevc', ...stream }), { ...RENDITION, ...rendition })?.video

  it.each([
    [3840, 2160, 1280, 720],
    [2160, 3840, 720, 1280],
    [640, 360, 640, 360],
    [641, 361, 640, 360],
    [1920, 816, 1694, 720],
    [9000, 300, 4096, 136],
    [1, 1, 2, 2],
  ])('fits %ix%i into %ix%i: even, never larger than the source', (width, height, w, h) => {
    expect(encoded({ width, height })).toMatchObject({ width: w, height: h })
  })

  it('rotates the size with the picture', () => {
    expect(encoded({ width: 1920, height: 1080, side_data_list: [{ rotation: 90 }] })).toMatchObject({
      width: 720,
      height: 1280,
    })
  })

  it.each([
    ['25/1', '25/1', '25'],
    ['30000/1001', '30000/1001', '30000/1001'],
    ['29990/1000', '30/1', '30'],
    ['60000/1001', '60000/1001', '30000/1001'],
    ['50/1', '50/1', '25'],
    ['120/1', '120/1', '30'],
    ['12/1', '1000/1', '30'],
    ['15/1', '15/1', '15'],
    ['0/0', '90000/1', '30'],
    ['75/1', '75/1', '25'],
    ['144/1', '144/1', '28.8'],
    ['90/1', '90/1', '30'],
    ['100/1', '100/1', '25'],
    ['120000/1001', '120000/1001', '30000/1001'],
  ])('plays %s (nominally %s) at %s', (average, nominal, framesPerSecond) => {
    expect(encoded({ avg_frame_rate: average, r_frame_rate: nominal })).toMatchObject({ framesPerSecond })
  })

  it('keeps 60 if 60 is allowed', () => {
    const stream = { avg_frame_rate: '60/1', r_frame_rate: '60/1' }
    expect(encoded(stream, { maxFramesPerSecond: 60 })).toMatchObject({ framesPerSecond: '60' })
    for (const [rate, framesPerSecond] of [
      ['75/1', '37.5'],
      ['144/1', '48'],
      ['240/1', '60'],
    ])
      expect(encoded({ avg_frame_rate: rate, r_frame_rate: rate }, { maxFramesPerSecond: 60 })).toMatchObject({
        framesPerSecond,
      })
  })

  it('converts high dynamic range, with defaults for missing values', () => {
    expect(encoded({ color_transfer: 'smpte2084' })).toMatchObject({
      toneMap: { transfer: 'smpte2084', primaries: 'bt2020', matrix: 'bt2020nc' },
    })
    expect(encoded({ color_transfer: 'bt709' })).toMatchObject({ toneMap: null })
  })
})
