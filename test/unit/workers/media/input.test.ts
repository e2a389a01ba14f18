import { describe, expect, it } from 'vitest'
import { inputArgs } from '../../../../workers/media/input.ts'
import type { LocalSource } from '../../../../workers/media/source.ts'

const file: LocalSource = {
  bytes: 1,
  path: '/data/1',
  readAt: () => Promise.resolve(Buffer.alloc(0)),
  async *stream() {},
}
const valueAfter = (args: string[], option: string): string | undefined => args[args.indexOf(option) + 1]

describe('inputArgs', () => {
  it('sets demuxers, decoders and limits before -i', () => {
    const args = inputArgs(file, { container: 'unknown' })
    expect(args.slice(-2)).toEqual(['-i', 'file:/data/1'])
    expect(valueAfter(args, '-format_whitelist')).toBe('mov,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg')
    expect(valueAfter(args, '-max_pixels')).toBe('40000000')
    expect(valueAfter(args, '-max_streams')).toBe('256')
    expect(args).not.toContain('-f')
  })

  it('lets ffmpeg open only decoders of the list, and ffprobe describe anything', () => {
    const decoders = valueAfter(inputArgs(file, { container: 'mp4' }), '-codec_whitelist')?.split(',')
    expect(decoders).toEqual(expect.arrayContaining(['h264', 'hevc', 'aac', 'opus']))
    expect(decoders).not.toContain('ansi')
    expect(inputArgs(file, { container: 'mp4', anyDecoder: true })).not.toContain('-codec_whitelist')
  })

  it('allows no protocol but file', () => {
    expect(valueAfter(inputArgs(file, { container: 'mp4' }), '-protocol_whitelist')).toBe('file')
  })

  it('never lets playlists, scripts, devices or images in', () => {
    const allowed = valueAfter(inputArgs(file, { container: 'unknown' }), '-format_whitelist')?.split(',')
    for (const demuxer of ['hls', 'concat', 'dash', 'sdp', 'rtsp', 'lavfi', 'image2', 'tty', 'xbin', 'imf']) {
      expect(allowed).not.toContain(demuxer)
    }
  })

  it.each([
    ['mp4', 'mov'],
    ['mov', 'mov'],
    ['webm', 'matroska'],
    ['mpegps', 'mpeg'],
  ] as const)('sets the demuxer of %s instead of detection', (container, demuxer) => {
    expect(valueAfter(inputArgs(file, { container }), '-f')).toBe(demuxer)
  })

  it('ignores an edit list only in containers that have one', () => {
    expect(valueAfter(inputArgs(file, { container: 'mp4', ignoreEditList: true }), '-ignore_editlist')).toBe('1')
    expect(inputArgs(file, { container: 'matroska', ignoreEditList: true })).not.toContain('-ignore_editlist')
    expect(inputArgs(file, { container: 'mp4' })).not.toContain('-ignore_editlist')
  })
})
