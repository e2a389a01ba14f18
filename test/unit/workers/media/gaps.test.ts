// Holes of a recording: told by its packets, and by what of them was decoded. What stands still or is silent is none.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../../workers/media/demux.ts'
import { type Decoded, type TimelineOptions, timeline } from '../../../../workers/media/gaps.ts'

const NOT_LOOKED: Decoded = { seenSeconds: null, heardSeconds: null }
const BOTH: TimelineOptions['streams'] = [
  { kind: 'video', plain: false },
  { kind: 'audio', plain: false },
]

type Made = Partial<Packet> & { startSeconds: number }
const packet = ({ startSeconds, ...more }: Made, stream: number, seconds: number): Packet => ({
  stream,
  decodedAt: startSeconds,
  startSeconds,
  endSeconds: startSeconds + seconds,
  bytes: 1000,
  key: true,
  blank: false,
  ...more,
})
/** Every so many seconds one, where `is` says so. */
const each = (every: number, until: number, is: (at: number) => boolean = () => true): number[] =>
  Array.from({ length: Math.round(until / every) }, (_, i) => i * every).filter(is)

type Options = Partial<TimelineOptions> & { decoded?: Decoded; hasLost?: boolean }

function gapsOf(
  pictures: readonly Made[],
  sounds: readonly Made[],
  { decoded = NOT_LOOKED, hasLost = false, ...options }: Options = {},
) {
  const account = timeline({ seconds: 60, leaps: false, streams: BOTH, ...options })
  const all = [...pictures.map((p) => packet(p, 0, 0.04)), ...sounds.map((p) => packet(p, 1, 0.02))]
  for (const one of all.toSorted((a, b) => a.startSeconds - b.startSeconds)) account.add(one)
  return account.find(decoded, account.unseen(decoded), hasLost).gaps
}
const at = (seconds: readonly number[]): Made[] => seconds.map((startSeconds) => ({ startSeconds }))
const asBefore = (seconds: readonly number[]): Made[] =>
  seconds.map((startSeconds) => ({ startSeconds, bytes: 1, blank: true }))
const outside = (from: number, until: number) => (second: number) => second < from || second >= until

describe('the holes of a recording', () => {
  it('are where neither picture nor sound is, if bytes are lost', () => {
    const [pictures, sounds] = [at(each(0.04, 60, outside(20, 38))), at(each(0.02, 60, outside(20, 38)))]
    expect(gapsOf(pictures, sounds)).toEqual([])
    const [gap, ...more] = gapsOf(pictures, sounds, { hasLost: true })
    expect(more).toEqual([])
    expect(gap?.startSeconds).toBeCloseTo(20, 0)
    expect(gap?.seconds).toBeCloseTo(18, 0)
  })

  it('are where packets hold nothing but zeros, unless the codec writes silence so', () => {
    const zeroed = each(0.02, 60).map((startSeconds) => ({
      startSeconds,
      blank: startSeconds >= 10 && startSeconds < 15,
    }))
    const [gap] = gapsOf(at(each(0.04, 60)), zeroed)
    expect(gap?.startSeconds).toBeCloseTo(10, 0)
    expect(gap?.seconds).toBeCloseTo(5, 0)
    const plain = { kind: 'audio', plain: true } as const
    expect(gapsOf(at(each(0.04, 60)), zeroed, { streams: [{ kind: 'video', plain: false }, plain] })).toEqual([])
  })

  it('are where sound has packets of which nothing was decoded', () => {
    const heardSeconds = [...each(1, 20), ...each(1, 60, (second) => second >= 40)]
    const [gap] = gapsOf(at(each(0.04, 60)), at(each(0.02, 60)), { decoded: { seenSeconds: null, heardSeconds } })
    expect(gap?.startSeconds).toBeCloseTo(20, 0)
    expect(gap?.seconds).toBeCloseTo(20, 0)
  })

  it('are where pictures were not among the decoded ones', () => {
    const seenSeconds = each(2, 60, outside(20, 30))
    const [gap] = gapsOf(at(each(0.04, 60)), at(each(0.02, 60)), { decoded: { seenSeconds, heardSeconds: null } })
    expect(gap?.startSeconds).toBeCloseTo(20, 0)
    expect(gap?.seconds).toBeCloseTo(10, 0)
  })

  it('of a stream that lost packets are the moment of the leap, and how far it went', () => {
    const leapt = (made: Made[]) =>
      made.map(({ startSeconds }) => ({ startSeconds: startSeconds + (startSeconds < 20 ? 0 : 18) }))
    const [gap, ...more] = gapsOf(leapt(at(each(0.04, 42))), leapt(at(each(0.02, 42))), {
      leaps: true,
      seconds: 42,
      hasLost: true,
    })
    expect(more).toEqual([])
    expect(gap?.startSeconds).toBeCloseTo(20, 0)
    expect(gap?.seconds).toBeCloseTo(18, 0)
  })
})

describe('no hole is', () => {
  const none: [string, readonly Made[], readonly Made[], Parameters<typeof gapsOf>[2]?][] = [
    ['a slide every ten seconds under a voice', at(each(10, 60)), at(each(0.02, 60))],
    ['a pause in the sound while the picture goes on', at(each(0.04, 60)), at(each(0.02, 60, outside(20, 40)))],
    [
      'a sound that was decoded on both sides of its pause',
      at(each(0.04, 60)),
      at(each(0.02, 60, outside(20.5, 40.3))),
      { decoded: { seenSeconds: null, heardSeconds: [...each(1, 20), 20, 40.8, ...each(1, 60, (s) => s > 41)] } },
    ],
    [
      'a screen that stands still, without any sound',
      at(each(0.04, 60, (s) => s % 20 < 2)),
      [],
      { streams: [{ kind: 'video', plain: false }] },
    ],
    ['a picture in the time before the sound', at(each(5, 60)), at(each(0.02, 60, (s) => s >= 30))],
    ['a glitch of half a second', at(each(0.04, 60, outside(20, 20.5))), at(each(0.02, 60, outside(20, 20.5)))],
    [
      'a microphone that was off, which MP4 writes as one long packet',
      at(each(0.04, 60)),
      [
        ...at(each(0.02, 20)),
        { startSeconds: 20, endSeconds: 40 },
        ...at(each(0.02, 20)).map(({ startSeconds }) => ({ startSeconds: startSeconds + 40 })),
      ],
      { decoded: { seenSeconds: null, heardSeconds: [...each(1, 20), 20, ...each(1, 60, (s) => s >= 41)] } },
    ],
    [
      'a sound that sends a packet now and then while nobody speaks',
      at(each(0.04, 60)),
      [...at(each(0.02, 20)), ...each(0.4, 40).map((s) => ({ startSeconds: s + 20, endSeconds: s + 20.4 }))],
      { decoded: { seenSeconds: null, heardSeconds: [...each(1, 20), 20, 40] } },
    ],
    ['packets of a few zeros, which say "as before"', at(each(0.04, 60)), asBefore(each(0.02, 60))],
    [
      'a stream caught in mid-air, before its first decoded picture',
      at(each(0.04, 60)),
      at(each(0.02, 60)),
      { decoded: { seenSeconds: each(2, 60, (s) => s >= 6), heardSeconds: null } },
    ],
    [
      'a second recording joined on, minutes later',
      at([...each(0.04, 30), ...each(0.04, 30).map((s) => s + 300)]),
      at([...each(0.02, 30), ...each(0.02, 30).map((s) => s + 300)]),
      { leaps: true },
    ],
    [
      'one joined on hours later, though packets are lost',
      at([...each(0.04, 30), ...each(0.04, 30).map((s) => s + 9000)]),
      at([...each(0.02, 30), ...each(0.02, 30).map((s) => s + 9000)]),
      { leaps: true, hasLost: true },
    ],
    [
      'a picture of keyframes only, looked at once a second',
      at(each(0.04, 60)),
      at(each(0.02, 60)),
      { decoded: { seenSeconds: each(0.92, 60), heardSeconds: each(1, 60) } },
    ],
  ]
  it.each(none)('%s', (_, pictures, sounds, options = {}) => {
    expect(gapsOf(pictures, sounds, options)).toEqual([])
  })
})
