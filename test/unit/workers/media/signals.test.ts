import { describe, expect, it } from 'vitest'
import { judgePicture, judgeSound, type MetadataFrame, metadataReader } from '../../../../workers/media/signals.ts'

const frames = (...values: number[][]): MetadataFrame[] => values.map((v, i) => ({ seconds: i * 2, values: v }))

describe('metadataReader', () => {
  it('reads the wanted keys of each frame, however the pipe cuts them', () => {
    const reader = metadataReader(['a.B', 'a.C'])
    const text = 'frame:0    pts:0       pts_time:0\na.B=1.5\na.X=9\na.C=-inf\nframe:1 pts:2 pts_time:2.04\na.C=7\n'
    for (const byte of text) reader.push(Buffer.from(byte))
    expect(reader.frames()).toEqual([
      { seconds: 0, values: [1.5, Number.NEGATIVE_INFINITY] },
      { seconds: 2.04, values: [Number.NaN, 7] },
    ])
  })

  it('puts a frame together that two filters print', () => {
    const reader = metadataReader(['a.B', 'a.C'])
    reader.push(Buffer.from('frame:0 pts:0 pts_time:0\na.C=1\nframe:0 pts:0 pts_time:0\na.B=2\n'))
    expect(reader.frames()).toEqual([{ seconds: 0, values: [2, 1] }])
  })
})

describe('judgePicture', () => {
  it('calls no picture black in which one pixel in a thousand is to be seen', () => {
    expect(judgePicture(frames([0.25, 0], [0.25, 0])).blackShare).toBe(0)
    expect(judgePicture(frames([0.02, 0], [0.02, 0])).blackShare).toBe(1)
  })

  it('tells black, frozen and moving time apart', () => {
    expect(judgePicture(frames([200, 0], [200, 10], [0.05, 60], [0, 0.1]))).toMatchObject({
      samples: 4,
      blackShare: 0.5,
      frozenShare: 1 / 3,
      jumpSeconds: [4],
    })
  })

  it('calls a picture that never changes frozen, not its only keyframe', () => {
    expect(judgePicture(frames([200, 0], [200, 0], [200, 0.2])).frozenShare).toBe(1)
    expect(judgePicture(frames([200, 0]))).toMatchObject({ frozenShare: 0, blackShare: 0 })
    expect(judgePicture([])).toMatchObject({ samples: 0, blackShare: 0, frozenShare: 0, jumpSeconds: [] })
  })

  it('bounds the list of jumps', () => {
    const jumpy = Array.from({ length: 500 }, () => [200, 99])
    expect(judgePicture(frames(...jumpy)).jumpSeconds).toHaveLength(50)
  })
})

describe('judgeSound', () => {
  const silence = Number.NEGATIVE_INFINITY

  it('counts silent seconds, without the rest of one at the end', () => {
    const result = judgeSound(frames([-20, -6], [-90, -80], [silence, silence], [-70, -66], [silence, silence]))
    expect(result).toMatchObject({ seconds: 4, silentShare: 0.75, peakDb: -6, meanDb: -26 })
  })

  it('knows no number for digital silence, nor for no sound at all', () => {
    expect(judgeSound(frames([silence, silence], [silence, silence]))).toMatchObject({
      silentShare: 1,
      peakDb: null,
      meanDb: null,
    })
    expect(judgeSound([])).toMatchObject({ seconds: 0, silentShare: 1, peakDb: null, meanDb: null })
  })

  it('takes a quiet classroom for sound', () => {
    expect(judgeSound(frames([-45, -30], [-48, -31], [-50, -30])).silentShare).toBe(0)
  })
})
