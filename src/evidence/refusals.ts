// Refused attempts of one person for one slot in one minute: the first few are kept each, the others as one with a number,
// so that the first refusal for another slot is kept: an attempt in time may excuse a late file. A program that tries without
// end proves no more by a thousand lines, and they would be kept for good. Nor does one that makes up names of slots.

import type { Attempt, Journal } from './attempt-journal.ts'

/** Kept each: more than anybody tries by hand in a minute. */
const EACH = 10
/** Different sums of a slot and minute; what comes beyond goes into the last of them. */
const SUMS = 20
/**
 * Slots of a minute that are told apart, more than a profile has. While submissions cannot be looked up, a page may name any; what
 * comes beyond goes into sums without a slot.
 */
const SLOTS = 100
const MINUTE_MS = 60_000

export type NotedAttempt = { journal: Journal; attempt: Attempt }

type OfSlot = { kept: number; sums: Map<string, NotedAttempt> }
/** Of one person in one submission; `others`: in slots beyond the limit. */
type Minute = { endsMs: number; slots: Map<string | null, OfSlot>; others: OfSlot }

export class Refusals {
  readonly #minutes = new Map<string, Minute>()
  #over: NotedAttempt[] = []

  /** Whether a refused attempt is to be kept by itself; where not, it is counted here. */
  keeps(noted: NotedAttempt): boolean {
    const { journal, attempt } = noted
    const who = JSON.stringify([journal.owner, journal.submissionId, attempt.subject])
    const atMs = Date.parse(attempt.at)
    let minute = this.#minutes.get(who)
    if (minute === undefined || atMs >= minute.endsMs) {
      if (minute !== undefined) this.#over.push(...sumsOf(minute))
      minute = { endsMs: atMs + MINUTE_MS, slots: new Map(), others: newSlot() }
      this.#minutes.set(who, minute)
    }
    const slot = slotOf(minute, attempt.slot)
    if (slot.kept < EACH) {
      slot.kept++
      return true
    }
    this.#count(slot, slot === minute.others ? { journal, attempt: { ...attempt, slot: null } } : noted)
    return false
  }

  #count({ sums }: OfSlot, { journal, attempt }: NotedAttempt): void {
    const like = attempt.code ?? ''
    const key = sums.has(like) || sums.size < SUMS ? like : ([...sums.keys()].at(-1) ?? like)
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { journal, attempt: { ...attempt, declared: null, count: 1 } })
    else {
      sum.attempt.count = (sum.attempt.count ?? 1) + 1
      // Attempts are noted when they end, not in the order of their beginnings.
      if (attempt.at < sum.attempt.at) sum.attempt.at = attempt.at
    }
  }

  /** Drops what is counted of a submission. */
  forget({ owner, submissionId }: Journal): void {
    for (const who of this.#minutes.keys()) {
      const [its, id] = JSON.parse(who) as [string, string, string | null]
      if (its === owner && id === submissionId) this.#minutes.delete(who)
    }
  }

  /** Sums of minutes that are over, and of all with `nowMs` infinite. What is taken is no longer here. */
  take(nowMs: number): NotedAttempt[] {
    const over = [...this.#minutes].filter(([, { endsMs }]) => endsMs <= nowMs)
    for (const [who] of over) this.#minutes.delete(who)
    const taken = this.#over
    this.#over = []
    return taken.concat(over.flatMap(([, minute]) => sumsOf(minute)))
  }
}

function newSlot(): OfSlot {
  return { kept: 0, sums: new Map() }
}

function slotOf({ slots, others }: Minute, name: string | null): OfSlot {
  const known = slots.get(name)
  if (known !== undefined) return known
  if (slots.size >= SLOTS) return others
  const made = newSlot()
  slots.set(name, made)
  return made
}

function sumsOf({ slots, others }: Minute): NotedAttempt[] {
  return [...slots.values(), others].flatMap(({ sums }) => [...sums.values()])
}
