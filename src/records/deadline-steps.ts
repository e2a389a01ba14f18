// What the dates of a submission ask for, and when: a word before the deadline, and its end. Pure: from the head alone, so
// that whoever reads the same version finds the same steps.

import type { RevisionRecord, SubmissionHead } from './submission-head.ts'

/** Hours before the deadline at which a portal is told. */
const DUE_HOURS = [24, 1] as const

const HOUR_MS = 3_600_000
/** What was stored in the last moment is on record by then. */
export const AFTER_CLOSE_MS = 5000
/** A submission that was over for longer when it is first looked at, as after an upgrade, is not news any more. */
export const NEWS_MS = 7 * 86_400_000

export type Step = { atMs: number; kind: 'due'; hours: (typeof DUE_HOURS)[number] } | { atMs: number; kind: 'over' }

type Dated = Pick<SubmissionHead, 'state' | 'deadline' | 'graceSeconds' | 'revision' | 'revisions' | 'createdAt'> &
  Partial<Pick<SubmissionHead, 'datesSetAt' | 'sealAtDeadline' | 'lapsed'>>

/** The return that opened the current revision. */
export function openReturn({ state, revision, revisions }: Dated): RevisionRecord | undefined {
  return state === 'returned' ? revisions.find((entry) => entry.revision === revision - 1) : undefined
}

/**
 * The last moment at which a stored byte counts, Unix milliseconds: the end of grace, or of the time to repair. Null: there
 * is none, or it was over before this revision began, which therefore has no end of its own.
 */
export function closesMs(head: Dated): number | null {
  if (head.deadline === null) return null
  const closes = Math.max(Date.parse(head.deadline) + head.graceSeconds * 1000, ...repairEndsMs(head))
  return closes > begunMs(head) ? closes : null
}

/** Ends of the time to repair, which hold for a returned submission. */
function repairEndsMs({ state, revision, revisions }: Dated): number[] {
  if (state !== 'returned') return []
  const earlier = revisions.filter((entry) => entry.revision < revision)
  return earlier.flatMap(({ repairUntil }) => (repairUntil === undefined ? [] : [Date.parse(repairUntil)]))
}

function begunMs(head: Dated): number {
  return Date.parse(openReturn(head)?.returnedAt ?? head.createdAt)
}

/** The time that people are told: the deadline, or the end of the time to repair where that is later. */
export function dueMs(head: Dated): number | null {
  if (head.deadline === null) return null
  return Math.max(Date.parse(head.deadline), ...repairEndsMs(head))
}

/** All steps of an open submission, the earliest first. A time before a deadline that had passed when the deadline was set is none. */
function stepsOf(head: Dated): Step[] {
  const [closes, due] = [closesMs(head), dueMs(head)]
  if (closes === null || due === null || (head.state !== 'open' && head.state !== 'returned')) return []
  const sinceMs = Math.max(begunMs(head), Date.parse(head.datesSetAt ?? head.createdAt))
  const before = DUE_HOURS.map((hours): Step => ({ atMs: due - hours * HOUR_MS, kind: 'due', hours }))
  return [...before.filter(({ atMs }) => atMs > sinceMs), { atMs: closes + AFTER_CLOSE_MS, kind: 'over' }]
}

/** The last step whose time has come. */
export function stepAt(head: Dated, nowMs: number): Step | undefined {
  return stepsOf(head).findLast(({ atMs }) => atMs <= nowMs)
}

/** When to look at the submission next, Unix milliseconds; null: its dates ask for nothing more. */
export function nextStepMs(head: Dated, nowMs: number): number | null {
  const steps = stepsOf(head)
  const next = steps.find(({ atMs }) => atMs > nowMs) ?? steps.at(-1)
  if (next === undefined || next.atMs > nowMs) return next?.atMs ?? null
  const isNews = head.sealAtDeadline === true || next.atMs > nowMs - NEWS_MS
  return hasLapsed(head) || !isNews ? null : next.atMs
}

/** The same where nobody knows whether earlier steps were taken, as after a loss of Redis. */
export function firstStepMs(head: Dated, nowMs: number): number | null {
  if (stepAt(head, nowMs)?.kind === 'due') return nowMs
  const mayBeSealed = hasLapsed(head) && head.sealAtDeadline === true && head.lapsed?.pending.length !== 0
  return nextStepMs(head, nowMs) ?? (mayBeSealed ? nowMs : null)
}

/** Whether it was told that the present dates are over; other dates are another chance. */
export function hasLapsed(head: Dated): boolean {
  const closes = closesMs(head)
  return closes !== null && head.lapsed !== undefined && Date.parse(head.lapsed.closesAt) === closes
}

/** Whether a commit changes when something is to be done. */
export function movesSteps(before: Dated | undefined, after: Dated): boolean {
  return before === undefined || fingerprintOf(before) !== fingerprintOf(after)
}

function fingerprintOf(head: Dated): string {
  return JSON.stringify([stepsOf(head), head.sealAtDeadline ?? false, head.lapsed?.closesAt ?? null])
}
