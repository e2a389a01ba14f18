// When a service was alive, and what it could not do meanwhile: stretches of time, one after the other. Pure. Each service keeps
// its own and writes it into the store as one small object, over and over; what no log covers is an outage.

import { isoTime } from '../../core/clock.ts'

/** Rising: a service without its store can do less than one that only takes no new uploads. */
const LACKS = ['creations', 'redis', 'store'] as const

/** What a service that is alive cannot do: take new uploads; reach Redis; reach the store. */
export type Lack = (typeof LACKS)[number]

/** Unix milliseconds by the clock that decides dates. `lacks` null: everything worked. */
export type Stretch = { fromMs: number; toMs: number; lacks: Lack | null }

export type AliveLog = {
  instance: string
  stretches: readonly Stretch[]
  /** Outages up to here are in the ledger; null: this service never looked. */
  examinedToMs: number | null
  /** Nothing is known of the time before; null: the log is whole. */
  forgottenToMs: number | null
}

/** More than an hour of changes every twelve seconds. */
const MAX_STRETCHES = 300

export function newLog(instance: string): AliveLog {
  return { instance, stretches: [], examinedToMs: null, forgottenToMs: null }
}

/**
 * Notes that the service is alive now. The time since the last note counts as the worse of both states, so that an outage
 * is never told shorter than it was; after a longer silence than `maxSilenceMs` it counts as not alive.
 */
export function noted(log: AliveLog, nowMs: number, lacks: Lack | null, maxSilenceMs: number): AliveLog {
  const before = cutAt(log.stretches, nowMs)
  const last = before.at(-1)
  const now = { fromMs: nowMs, toMs: nowMs, lacks }
  if (last === undefined || nowMs - last.toMs > maxSilenceMs) return kept(log, [...before, now])
  const since = { fromMs: last.toMs, toMs: nowMs, lacks: worse(last.lacks, lacks) }
  const longer = since.lacks === last.lacks ? [{ ...last, toMs: nowMs }] : [last, since]
  // From here on it goes on in the state of now.
  const next = since.lacks === lacks ? [] : [now]
  return kept(log, [...before.slice(0, -1), ...longer, ...next])
}

/** A log of this process after the one that an earlier process of the same name left. */
export function joined(former: AliveLog, own: AliveLog): AliveLog {
  const beganMs = own.stretches[0]?.fromMs ?? Number.POSITIVE_INFINITY
  return kept({ ...former, instance: own.instance }, [...cutAt(former.stretches, beganMs), ...own.stretches])
}

/** All times moved by so much. */
export function moved(log: AliveLog, byMs: number): AliveLog {
  return {
    ...log,
    stretches: log.stretches.map((one) => ({ ...one, fromMs: one.fromMs + byMs, toMs: one.toMs + byMs })),
  }
}

export function worse(a: Lack | null, b: Lack | null): Lack | null {
  return rankOf(a) >= rankOf(b) ? a : b
}

/** 0: everything works. */
export function rankOf(lacks: Lack | null): number {
  return lacks === null ? 0 : LACKS.indexOf(lacks) + 1
}

/** Without what lies after a moment, as where a clock was put back. */
function cutAt(stretches: readonly Stretch[], atMs: number): Stretch[] {
  return stretches.filter(({ fromMs }) => fromMs <= atMs).map((one) => ({ ...one, toMs: Math.min(one.toMs, atMs) }))
}

function kept(log: AliveLog, stretches: Stretch[]): AliveLog {
  if (stretches.length <= MAX_STRETCHES) return { ...log, stretches }
  const rest = stretches.slice(-MAX_STRETCHES)
  return { ...log, stretches: rest, forgottenToMs: rest[0]?.fromMs ?? null }
}

type StoredLog = {
  schema: 1
  instance: string
  stretches: { from: string; to: string; lacks: Lack | null }[]
  examinedTo: string | null
  forgottenTo: string | null
}

export function encodeLog({ instance, stretches, examinedToMs, forgottenToMs }: AliveLog): Buffer {
  const stored: StoredLog = {
    schema: 1,
    instance,
    stretches: stretches.map(({ fromMs, toMs, lacks }) => ({ from: isoTime(fromMs), to: isoTime(toMs), lacks })),
    examinedTo: examinedToMs === null ? null : isoTime(examinedToMs),
    forgottenTo: forgottenToMs === null ? null : isoTime(forgottenToMs),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** Throws for what is not a log. */
export function decodeLog(body: Buffer): AliveLog {
  const { instance, stretches, examinedTo, forgottenTo } = JSON.parse(body.toString('utf8')) as StoredLog
  return {
    instance,
    stretches: stretches.map(({ from, to, lacks }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to), lacks })),
    examinedToMs: examinedTo === null ? null : Date.parse(examinedTo),
    forgottenToMs: forgottenTo === null ? null : Date.parse(forgottenTo),
  }
}
