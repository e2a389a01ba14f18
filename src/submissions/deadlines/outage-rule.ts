// The rule by which lost time is given back after an outage, as the runbook states it. Pure.

import { isoTime } from '../../core/clock.ts'
import type { MadeUpFor, SubmissionHead } from '../../records/submission-head.ts'
import { type Move, type MovedDates, openRepair } from '../extend-deadline.ts'

/** An entry of the outage ledger. RFC 3339. */
export type LostTime = { id: string; from: string; to: string }

/** Everybody has so much time after an outage: to hear that it is over, and to send. */
const LEAST_AFTER_MS = 3_600_000
const MINUTE_MS = 60_000

/** Moves each date that fell into an outage. */
export function moveForOutage(outage: LostTime): Move {
  return { name: outage.id, datesOf: (head) => datesAfter(head, outage) }
}

function datesAfter(head: SubmissionHead & { deadline: string }, outage: LostTime): ReturnType<Move['datesOf']> {
  const { deadline, graceSeconds } = head
  const madeUp = madeUpMs(head.madeUpFor ?? [], outage)
  const lostMs = lengthMs(outage) - madeUp
  const repairUntil = openRepair(head)?.repairUntil
  const dates = {
    deadline: newDate(Date.parse(deadline), graceSeconds * 1000, outage, lostMs),
    repairUntil: repairUntil === undefined ? undefined : newDate(Date.parse(repairUntil), 0, outage, lostMs),
  }
  if (dates.deadline === undefined && dates.repairUntil === undefined) return undefined
  // Two looks at the same outage, from within and from outside, differ by seconds.
  if (madeUp > 0 && lostMs < MINUTE_MS) return 'already'
  if (wasSetSince(head, outage)) return 'set since'
  const { id, from, to } = outage
  const moved: MovedDates = { deadline: dates.deadline ?? deadline, madeUpFor: { outage: id, from, to } }
  return dates.repairUntil === undefined ? moved : { ...moved, repairUntil: dates.repairUntil }
}

/** RFC 3339, on a full minute; undefined: the date did not fall into the outage. */
function newDate(dateMs: number, graceMs: number, { from, to }: LostTime, lostMs: number): string | undefined {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
  const tooLittleUntilMs = toMs + Math.max(LEAST_AFTER_MS, lostMs)
  if (dateMs + graceMs < fromMs || dateMs >= tooLittleUntilMs) return undefined
  // Who was in grace gets the lost part of it back; nobody else gets time after a deadline that had passed.
  const leastMs = dateMs < fromMs ? 0 : toMs + LEAST_AFTER_MS
  return isoTime(Math.ceil(Math.max(dateMs + lostMs, leastMs) / MINUTE_MS) * MINUTE_MS)
}

/** How much of an outage was given back for others that overlap with it, milliseconds. */
function madeUpMs(madeUpFor: readonly MadeUpFor[], outage: LostTime): number {
  let [sum, atMs] = [0, Date.parse(outage.from)]
  const untilMs = Date.parse(outage.to)
  for (const { from, to } of madeUpFor.toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from))) {
    const startMs = Math.max(atMs, Date.parse(from))
    const endMs = Math.min(untilMs, Date.parse(to))
    sum += Math.max(0, endMs - startMs)
    atMs = Math.max(atMs, endMs)
  }
  return sum
}

function lengthMs({ from, to }: LostTime): number {
  return Date.parse(to) - Date.parse(from)
}

/** Whether somebody set the dates after the outage, other than by giving back lost time: it was known then. */
function wasSetSince({ datesSetAt, madeUpFor = [] }: SubmissionHead, { to }: LostTime): boolean {
  if (datesSetAt === undefined || Date.parse(datesSetAt) <= Date.parse(to)) return false
  return madeUpFor.every(({ at }) => at !== datesSetAt)
}
