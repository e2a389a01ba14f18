import { describe, expect, it } from 'vitest'
import { matchesEtag } from '../../../src/http/conditional.ts'
import { parseRange, rangeStillHolds } from '../../../src/http/range.ts'

const whole = { kind: 'whole' }
const unsatisfiable = { kind: 'unsatisfiable' }
const part = (start: number, end: number) => ({ kind: 'part', start, end })

describe('parseRange of 1000 bytes', () => {
  it.each([
    ['bytes=0-0', part(0, 0)],
    ['bytes=0-', part(0, 999)],
    ['bytes=500-', part(500, 999)],
    ['bytes=500-99999999999999999999', part(500, 999)],
    ['bytes=999-999', part(999, 999)],
    ['Bytes=1-2', part(1, 2)],
    ['bytes= 1-2 ', part(1, 2)],
    ['bytes=-1', part(999, 999)],
    ['bytes=-1000', part(0, 999)],
    ['bytes=-5000', part(0, 999)],
    ['bytes=1000-', unsatisfiable],
    ['bytes=1000-2000', unsatisfiable],
    ['bytes=-0', unsatisfiable],
    ['bytes=0-1,5-6', whole],
    ['bytes=5-4', whole],
    ['bytes=-', whole],
    ['bytes=a-b', whole],
    ['bytes=1-2-3', whole],
    ['bytes=+1-2', whole],
    ['items=0-1', whole],
    ['', whole],
    [undefined, whole],
  ])('%s', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected)
  })
})

it('is not satisfiable in an empty object', () => {
  expect(parseRange('bytes=0-', 0)).toEqual(unsatisfiable)
  expect(parseRange('bytes=-5', 0)).toEqual(unsatisfiable)
  expect(parseRange(undefined, 0)).toEqual(whole)
})

it('compares entity tags: strongly for If-Range, weakly and among several for If-None-Match', () => {
  expect(rangeStillHolds(undefined, '"a"')).toBe(true)
  expect(rangeStillHolds(' "a"', '"a"')).toBe(true)
  expect(rangeStillHolds('W/"a"', '"a"')).toBe(false)
  expect(rangeStillHolds('Sat, 21 Nov 2026 09:00:00 GMT', '"a"')).toBe(false)
  expect(matchesEtag(undefined, '"a"')).toBe(false)
  expect(matchesEtag('*', '"a"')).toBe(true)
  expect(matchesEtag('"b", W/"a"', '"a"')).toBe(true)
  expect(matchesEtag('"b"', '"a"')).toBe(false)
})
