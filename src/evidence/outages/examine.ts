// Looks through the logs of all services for outages that are over, and notes them in the ledger.

import { isoTime } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type FleetLogs, lastMs, type StoredLog } from './fleet-logs.ts'
import { type FleetOutage, outagesIn } from './fleet-outages.ts'
import { type Outage, type OutageLedger, outageId } from './outage-ledger.ts'

/** Logs of services that are gone for longer are removed: what they tell is in the ledger. */
const FORGET_MS = 7 * 86_400_000

export type OutageTimes = {
  /** How often each service writes that it is alive. */
  beatMs: number
  /** Shorter ones are no outages: a service that is restarted, or a moment. */
  leastMs: number
  /** Only time that is over for so long is looked at: what services wrote about it has arrived. */
  settledMs: number
}

/** All times follow from how often services write, so that tests need not wait. */
export function timesOf(beatMs: number): OutageTimes {
  return { beatMs, leastMs: 3 * beatMs, settledMs: 2.5 * beatMs }
}

export type ExamineDeps = {
  store: Pick<ObjectStore, 'remove'>
  logs: Pick<FleetLogs, 'all'>
  ledger: Pick<OutageLedger, 'note'>
  logger: Logger
}

/**
 * Notes every outage that is over and not yet in the ledger. Safe at any time, in any number of services.
 *
 * @param own key of the log that this service has just written
 * @returns up to when everything is in the ledger, Unix milliseconds; null: there is no log
 */
export async function examine(
  { store, logs, ledger, logger }: ExamineDeps,
  own: string,
  nowMs: number,
  times: OutageTimes,
): Promise<number | null> {
  const all = await logs.all(own)
  const untilMs = nowMs - times.settledMs
  const fromMs = examinedTo(all)
  if (fromMs === null || fromMs >= untilMs) return fromMs
  const found = outagesIn(
    all.map(({ log }) => log),
    fromMs,
    untilMs,
    times.leastMs,
  )
  for (const one of found.over) {
    const outage = entryOf(one)
    if (await ledger.note(outage)) logger.warn({ outage }, 'an outage was noted in the ledger')
  }
  const examinedToMs = found.open[0]?.fromMs ?? untilMs
  for (const { key, log } of all) {
    const last = lastMs(log)
    if (key !== own && last !== undefined && last < examinedToMs - FORGET_MS) await store.remove(key)
  }
  return examinedToMs
}

/** What the logs say of an outage that is not over; undefined: there is none. */
export function openOutage(all: readonly StoredLog[], nowMs: number, times: OutageTimes): FleetOutage[] {
  const fromMs = examinedTo(all)
  if (fromMs === null || fromMs >= nowMs) return []
  const logs = all.map(({ log }) => log)
  const { open } = outagesIn(logs, fromMs, nowMs, times.leastMs)
  // Services write every few seconds: until then nobody can tell.
  return (open[0]?.fromMs ?? nowMs) > nowMs - times.leastMs ? [] : open
}

/** The latest moment up to which some service has looked; before that, the first that any log knows of. */
function examinedTo(all: readonly StoredLog[]): number | null {
  const logs = all.map(({ log }) => log)
  const looked = logs.flatMap(({ examinedToMs }) => examinedToMs ?? [])
  const first = logs.flatMap(({ stretches }) => stretches[0]?.fromMs ?? [])
  if (first.length === 0) return null
  const forgotten = logs.flatMap(({ forgottenToMs }) => forgottenToMs ?? [])
  const beganMs = looked.length > 0 ? Math.max(...looked) : Math.min(...first)
  return Math.max(beganMs, ...forgotten)
}

function entryOf({ fromMs, toMs, affected }: FleetOutage): Outage {
  return { id: outageId(fromMs, affected), from: isoTime(fromMs), to: isoTime(toMs), affected, seenBy: 'service' }
}
