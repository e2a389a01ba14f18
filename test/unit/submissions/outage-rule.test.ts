// The rule of the runbook by which lost time is given back, on an outage from 23:00 to 23:20 unless a test says otherwise.

import { expect, it } from 'vitest'
import type { SubmissionHead } from '../../../src/records/submission-head.ts'
import { moveForOutage } from '../../../src/submissions/deadlines/outage-rule.ts'

const at = (time: string) => `2026-09-30T${time}${time.length === 5 ? ':00' : ''}.000Z`
const outage = (from: string, to: string, id = 'o') => ({ id, from: at(from), to: at(to) })
const head = (deadline: string, more: Partial<SubmissionHead> = {}) =>
  ({
    state: 'open',
    deadline: at(deadline),
    graceSeconds: 0,
    revision: 1,
    revisions: [],
    createdAt: at('01:00'),
    ...more,
  }) as unknown as SubmissionHead & { deadline: string }
const after = (of: ReturnType<typeof head>, lost = outage('20:00', '20:20')) => {
  const dates = moveForOutage(lost).datesOf(of)
  return typeof dates === 'object' ? dates.deadline : dates
}

it.each([
  ['fell into it: an hour after its end at least', '20:10', '21:20'],
  ['at its first moment', '20:00', '21:20'],
  ['before it', '19:59:59', undefined],
  ['soon after its end: an hour after it at least', '20:29', '21:20'],
  ['less than an hour after it: what was lost is given back', '21:10', '21:30'],
  ['an hour after it', '21:20', undefined],
])('a deadline %s (%s → %s)', (_what, deadline, moved) => {
  expect(after(head(deadline))).toBe(moved === undefined ? undefined : at(moved))
})

it('after a long outage as much time as was left before it, and so long after its end', () => {
  const long = outage('10:00', '15:00')
  expect(after(head('14:00'), long)).toBe(at('19:00'))
  expect(after(head('19:59'), long)).toBe('2026-10-01T00:59:00.000Z')
  expect(after(head('20:00'), long)).toBeUndefined()
})

it('is told on a full minute', () => {
  expect(after(head('20:10'), outage('20:00:03', '20:20:41'))).toBe(at('21:21'))
})

it('grace that was lost is given back, and no more', () => {
  const late = head('19:55', { graceSeconds: 900 })
  expect(after(late)).toBe(at('20:15'))
  expect(after(head('19:40', { graceSeconds: 900 }))).toBeUndefined()
})

it('the time to repair is moved by itself', () => {
  const returned = head('12:00', {
    state: 'returned',
    revision: 2,
    revisions: [{ revision: 1, returnedAt: at('13:00'), repairUntil: at('20:10') }],
  })
  expect(moveForOutage(outage('20:00', '20:20')).datesOf(returned)).toMatchObject({
    deadline: at('12:00'),
    repairUntil: at('21:20'),
  })
})

it('time that was given back for an outage is not given back for another one within it', () => {
  const made = (from: string, to: string) => ({
    madeUpFor: [{ outage: 'x', from: at(from), to: at(to), at: at('22:00') }],
  })
  const within = head('19:00', { ...made('10:00', '15:00'), datesSetAt: at('22:00') })
  expect(after(within, outage('10:00', '14:50'))).toBeUndefined()
  expect(after(head('15:40', made('10:00', '15:00')), outage('10:00', '14:50'))).toBe('already')
  // From outside it was seen eight seconds longer.
  expect(after(head('20:40', made('20:00', '20:20')), outage('19:59:56', '20:20:04'))).toBe('already')
  // Half of it.
  expect(after(head('20:50', made('20:00', '20:20')), outage('20:10', '20:30'))).toBe(at('21:30'))
  expect(after(head('21:25', made('20:00', '20:20')), outage('20:10', '20:30'))).toBe(at('21:35'))
})

it('dates that somebody set after the outage are left alone, those moved for another outage are not', () => {
  expect(after(head('20:40', { datesSetAt: at('20:25') }))).toBe('set since')
  expect(after(head('20:40', { datesSetAt: at('19:00') }))).toBe(at('21:20'))
  const before = { outage: 'x', from: at('18:00'), to: at('18:20'), at: at('20:25') }
  expect(after(head('20:40', { datesSetAt: at('20:25'), madeUpFor: [before] }))).toBe(at('21:20'))
})
