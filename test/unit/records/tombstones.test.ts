import { expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { isYoungTombstone, lookAgainAtMs } from '../../../src/records/tombstones.ts'

it('a tombstone is looked at a few times, each time after ten times as long, and last when its day is over', () => {
  const erasedMs = Date.now()
  const tombstone = { erasedAt: isoTime(erasedMs) }
  const minutes: number[] = []
  for (let nowMs = erasedMs; isYoungTombstone(tombstone, nowMs); ) {
    nowMs = lookAgainAtMs(tombstone, nowMs)
    minutes.push((nowMs - erasedMs) / 60_000)
  }
  expect(minutes).toEqual([1, 10, 100, 1000, 1440])
})

it('what is not erased yet is looked at after a minute', () => {
  expect(lookAgainAtMs({}, 5000)).toBe(65_000)
})
