import { describe, expect, it } from 'vitest'
import { closesAt, isAccepting, timelinessOf } from '../../../../src/submissions/document/timeliness.ts'
import { head, minute } from '../support.ts'

const dates = head({ deadline: minute(60), graceSeconds: 300 })
const stored = (at: number, revision = 1) => ({ storedAt: minute(at), revision })
const LATE_BY_A_MOMENT = 1 / 60_000

describe('timelinessOf', () => {
  it.each([
    ['at the deadline', 60, { late: false, repaired: false, counts: true }],
    ['a millisecond after it', 60 + LATE_BY_A_MOMENT, { late: true, repaired: false, counts: true }],
    ['at the end of grace', 65, { late: true, repaired: false, counts: true }],
    ['a millisecond after grace', 65 + LATE_BY_A_MOMENT, { late: true, repaired: false, counts: false }],
  ])('%s', (_, at, expected) => {
    expect(timelinessOf(dates, stored(at))).toEqual(expected)
  })

  it('is null without a deadline, or before the last byte', () => {
    const free = { late: false, repaired: false, counts: true }
    expect(timelinessOf(head(), stored(99_999))).toEqual(free)
    expect(timelinessOf(dates, { storedAt: null, revision: 1 })).toEqual(free)
  })

  it('applies the times of a return to the revisions after it', () => {
    const returned = head({
      deadline: minute(60),
      revision: 2,
      revisions: [{ revision: 1, returnedAt: minute(100), repairUntil: minute(200) }],
    })
    expect(timelinessOf(returned, stored(200, 2))).toEqual({ late: true, repaired: true, counts: true })
    expect(timelinessOf(returned, stored(201, 2))).toEqual({ late: true, repaired: false, counts: false })
    expect(timelinessOf(returned, stored(150, 1))).toEqual({ late: true, repaired: false, counts: false })
    expect(timelinessOf(returned, stored(50, 2))).toEqual({ late: false, repaired: false, counts: true })
  })
})

describe('isAccepting', () => {
  const at = (minutes: number) => Date.parse(minute(minutes))

  it('opens, and closes with grace', () => {
    const opening = { ...dates, opensAt: minute(10) }
    expect([9, 10, 65, 66].map((minutes) => isAccepting(opening, at(minutes)))).toEqual([false, true, true, false])
  })

  it('has no end without a deadline, and another one in the repair period', () => {
    expect(isAccepting(head(), at(1_000_000))).toBe(true)
    const returned = { ...dates, revision: 2, revisions: [{ revision: 1, repairUntil: minute(200) }] }
    expect([150, 201].map((minutes) => isAccepting(returned, at(minutes)))).toEqual([true, false])
  })
})

it('closesAt is deadline and grace', () => {
  expect(closesAt(dates)).toBe(minute(65))
  expect(closesAt(head())).toBeNull()
})
