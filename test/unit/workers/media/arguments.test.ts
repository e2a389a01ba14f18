import { describe, expect, it } from 'vitest'
import { buildTranscode } from '../../../../workers/media/arguments.ts'
import type { VideoPlan } from '../../../../workers/media/plan.ts'

const RENDITION = {
  name: '720p',
  maxShortSidePx: 720,
  maxFramesPerSecond: 30,
  crf: 23,
  preset: 'veryfast',
  maxVideoBitsPerSecond: 3_000_000,
  audioBitsPerSecond: 128_000,
  allowCopy: true,
} as const
const REMUX: VideoPlan = {
  rendition: RENDITION,
  mode: 'remux',
  video: { index: 0, how: 'copy', codec: 'h264' },
  audio: { index: 2, how: 'copy' },
  width: 1280,
  height: 720,
  reasons: [],
}
const ENCODE: VideoPlan = {
  ...REMUX,
  mode: 'encode',
  video: {
    index: 1,
    how: 'encode',
    width: 720,
    height: 1280,
    framesPerSecond: '30000/1001',
    deinterlace: true,
    toneMap: { transfer: 'arib-std-b67', primaries: 'bt2020', matrix: 'bt2020nc' },
  },
  audio: { index: 3, how: 'encode', channels: 2 },
}
const build = (plan: VideoPlan): string[] =>
  buildTranscode({
    plan,
    inputOptions: ['-protocol_whitelist', 'file', '-f', 'mov'],
    input: 'file:/data/a b -y',
    outputPath: '/scratch/o u t.mp4',
    threads: 2,
  })
const joined = (plan: VideoPlan): string => build(plan).join(' ')

describe('buildTranscode', () => {
  it('does not split arguments, also with spaces in them', () => {
    const args = build(REMUX)
    expect(args[args.indexOf('-i') + 1]).toBe('file:/data/a b -y')
    expect(args.at(-1)).toBe('file:/scratch/o u t.mp4')
  })

  it('puts the hardened options before the input and progress on its own descriptor', () => {
    const args = build(REMUX)
    expect(args.indexOf('-protocol_whitelist')).toBeLessThan(args.indexOf('-i'))
    expect(args.slice(0, args.indexOf('-i'))).toEqual(expect.arrayContaining(['-nostdin', '-y', '-progress', 'pipe:3']))
  })

  it.each([
    ['remux', REMUX],
    ['encode', ENCODE],
  ])('writes no author and place into a %s, only the planned streams, and the index first', (_name, plan) => {
    const line = joined(plan)
    expect(line).toContain('-map_metadata -1 -map_chapters -1 -dn -sn')
    expect(line).toContain('-movflags +faststart -f mp4')
    expect(line.match(/-map 0:/g)).toHaveLength(2)
  })

  it('copies what the plan copies', () => {
    expect(joined(REMUX)).toContain('-map 0:0 -map 0:2')
    expect(joined(REMUX)).toContain('-c:v copy -c:a copy')
    expect(joined(REMUX)).not.toContain('libx264')
  })

  it('orders the filters: fields, rate, size, colours', () => {
    const args = build(ENCODE)
    expect(args[args.indexOf('-vf') + 1]).toBe(
      'bwdif=mode=send_frame,fps=30000/1001,scale=720:1280:out_range=tv,setsar=1,' +
        'zscale=tin=arib-std-b67:pin=bt2020:min=bt2020nc:rin=tv:t=linear:npl=100,format=gbrpf32le,' +
        'zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p',
    )
  })

  it('limits bit rate and threads, and makes stereo AAC', () => {
    expect(joined(ENCODE)).toContain('-c:v libx264 -preset veryfast -crf 23 -profile:v high -pix_fmt yuv420p')
    expect(joined(ENCODE)).toContain('-maxrate 3000000 -bufsize 6000000')
    expect(joined(ENCODE).match(/-threads 2/g)).toHaveLength(2)
    expect(joined(ENCODE)).toContain('-c:a aac -b:a 128000 -ac 2 -ar 48000')
  })

  it('has no audio arguments without sound', () => {
    const line = joined({ ...REMUX, audio: null })
    expect(line.match(/-map 0:/g)).toHaveLength(1)
    expect(line).toContain('-an')
  })
})
