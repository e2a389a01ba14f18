import { describe, expect, it } from 'vitest'
import { packetReader } from '../../../../workers/media/demux.ts'

const HEADER = '#software: x\n#tb 0: 1/1000\n#media_type 0: video\n#tb 1: 1/48000\n'

describe('packetReader', () => {
  it('measures each stream in its own time', () => {
    const reader = packetReader([
      { index: 2, kind: 'video' },
      { index: 5, kind: 'audio' },
    ])
    const lines = `${HEADER}0, 0, 0, 40, 900, 0xabc\n1, -1024, -1024, 1024, 50, 0xabc, F=0x5, S=1, 10\n0, 40, 80, 40, 100, 0xabc\n0, 2080, 2040, 40, 100, 0xabc\n1, 47000, 47000, 1000, 50, 0x1\n`
    for (const byte of lines) reader.push(Buffer.from(byte))
    const [video, audio] = reader.measures()
    expect(video).toEqual({
      index: 2,
      kind: 'video',
      packets: 3,
      bytes: 1100,
      seconds: 2.08,
      startSeconds: 0,
      endSeconds: 2.08,
      longestGapSeconds: 2.04,
    })
    expect(audio).toMatchObject({ index: 5, packets: 2, bytes: 100 })
    expect(audio?.seconds).toBeCloseTo(1 + 1024 / 48_000, 6)
  })

  it('does not take "no time" for a time, as program streams have it between their groups', () => {
    const none = '-9223372036854775808'
    const reader = packetReader([{ index: 0, kind: 'video' }])
    const packets = [
      `0, ${none}, ${none}, 40, 10, 0x1`,
      '0, 900000, 900000, 40, 10, 0x1',
      `0, 900040, ${none}, 40, 10, 0x1`,
      `0, ${none}, ${none}, 40, 10, 0x1`,
    ]
    reader.push(Buffer.from(`${HEADER}${packets.join('\n')}\n`))
    expect(reader.measures()).toMatchObject([{ packets: 4, seconds: 0.12, startSeconds: 900 }])
  })

  it('gives zero for a stream without packets and ignores what it does not know', () => {
    const reader = packetReader([{ index: 0, kind: 'video' }])
    reader.push(Buffer.from(`${HEADER}7, 0, 0, 1, 1, 0x1\nrubbish\n`))
    expect(reader.measures()).toMatchObject([{ packets: 0, seconds: 0 }])
  })
})
