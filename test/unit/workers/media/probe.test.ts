import { describe, expect, it } from 'vitest'
import { parseProbe } from '../../../../workers/media/probe.ts'

const video = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  index: 0,
  codec_type: 'video',
  codec_name: 'h264',
  width: 1920,
  height: 1080,
  pix_fmt: 'yuv420p',
  avg_frame_rate: '30000/1001',
  r_frame_rate: '30000/1001',
  disposition: { default: 1, attached_pic: 0 },
  ...more,
})
const audio = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  index: 1,
  codec_type: 'audio',
  codec_name: 'aac',
  channels: 2,
  sample_rate: '48000',
  disposition: { default: 1 },
  ...more,
})
const parse = (...streams: unknown[]): ReturnType<typeof parseProbe> =>
  parseProbe({ streams, format: { format_name: 'mov,mp4', duration: '12.5', bit_rate: '800000' } })

describe('parseProbe', () => {
  it('reads an ordinary file', () => {
    const result = parse(video(), audio())
    expect(result).toMatchObject({
      format: 'mov,mp4',
      durationSeconds: 12.5,
      bitsPerSecond: 800_000,
      otherStreams: 0,
    })
    expect(result.video).toMatchObject({
      displayWidth: 1920,
      displayHeight: 1080,
      rotation: 0,
      bitDepth: 8,
      hdr: false,
    })
    expect(result.video?.framesPerSecond).toBeCloseTo(29.97, 2)
    expect(result.audio).toMatchObject({ codec: 'aac', channels: 2, sampleRate: 48_000 })
  })

  it('does not treat a cover picture as video', () => {
    expect(parse(video({ disposition: { attached_pic: 1 } }), audio())).toMatchObject({
      video: null,
      otherStreams: 1,
    })
  })

  it.each([
    [-90, 90, 1080, 1920],
    [90, 270, 1080, 1920],
    [-180, 180, 1920, 1080],
    [180, 180, 1920, 1080],
    [270, 90, 1080, 1920],
    [0, 0, 1920, 1080],
  ])('converts side data rotation %i into %i clockwise', (reported, rotation, width, height) => {
    const { video: seen } = parse(video({ side_data_list: [{ side_data_type: 'Display Matrix', rotation: reported }] }))
    expect(seen).toMatchObject({ rotation, displayWidth: width, displayHeight: height })
  })

  it('reads the tag that older ffmpeg used for rotation', () => {
    expect(parse(video({ tags: { rotate: '90' } })).video).toMatchObject({ rotation: 90 })
  })

  it('applies the pixel aspect ratio to the size', () => {
    const { video: seen } = parse(video({ width: 720, height: 576, sample_aspect_ratio: '16:11' }))
    expect(seen).toMatchObject({ displayWidth: 1047, displayHeight: 576, squarePixels: false })
    expect(parse(video({ sample_aspect_ratio: '0:1' })).video).toMatchObject({ squarePixels: true })
  })

  it('detects high dynamic range and bit depth', () => {
    const { video: seen } = parse(video({ color_transfer: 'arib-std-b67', pix_fmt: 'yuv420p10le' }))
    expect(seen).toMatchObject({ hdr: true, bitDepth: 10 })
    expect(parse(video({ color_transfer: 'smpte2084' })).video).toMatchObject({ hdr: true })
    expect(parse(video({ color_transfer: 'bt709' })).video).toMatchObject({ hdr: false })
  })

  it('prefers the stream marked as default', () => {
    const second = video({ index: 2, width: 640, height: 360 })
    const first = video({ disposition: { default: 0 } })
    expect(parse(first, second).video).toMatchObject({ index: 2 })
    expect(parse(audio({ channels: 0 }), audio({ index: 3 })).audio).toMatchObject({ index: 3 })
  })

  it('tolerates fields that are missing, of another type, or absurd', () => {
    const odd = {
      codec_type: 'video',
      width: 'NaN',
      height: null,
      avg_frame_rate: '0/0',
      side_data_list: 7,
      tags: [],
    }
    const result = parseProbe({ streams: [odd, null, 'x', { codec_type: 'data' }] })
    expect(result).toMatchObject({ format: 'unknown', durationSeconds: null, video: null, otherStreams: 1 })
    expect(result.videos[0]).toMatchObject({ codec: 'unknown', width: 0, framesPerSecond: null })
  })

  it('refuses invalid output', () => {
    expect(() => parseProbe({})).toThrow(TypeError)
    expect(() => parseProbe([])).toThrow(TypeError)
  })
})
