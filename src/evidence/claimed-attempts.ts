// Attempts that nobody here saw: a page kept what it tried while it reached nobody, and files it later. They are claims: kept as
// such, and counted only where the outage ledger says that the service could not be used then.

import { createHash } from 'node:crypto'
import { isoTime } from '../core/clock.ts'
import type { Attempt } from './attempt-journal.ts'

export type Claimed = {
  /** When it was tried, RFC 3339. */
  at: string
  slot: string
  /** What the page got: NO_ANSWER, HTTP_502, a code of this service. */
  code: string
}

/**
 * CLAIM_COUNTS: within an outage of the ledger. CLAIM_OUTSIDE_OUTAGE: kept, and counts if an outage is noted later.
 * The others are not kept.
 */
export const CLAIM_CODES = [
  'CLAIM_COUNTS',
  'CLAIM_OUTSIDE_OUTAGE',
  'CLAIM_IN_FUTURE',
  'CLAIM_TOO_OLD',
  'CLAIM_SLOT_UNKNOWN',
] as const
export type ClaimCode = (typeof CLAIM_CODES)[number]

/** A page knows the server's time to a second or two. */
const AHEAD_MS = 2000
const OLDEST_MS = 31 * 86_400_000
const MINUTE_MS = 60_000

/** Why a claim is not kept; undefined: it is. */
export function refusalOf(
  { at, slot }: Claimed,
  nowMs: number,
  hasSlot: (slot: string) => boolean,
): ClaimCode | undefined {
  const atMs = Date.parse(at)
  if (!hasSlot(slot)) return 'CLAIM_SLOT_UNKNOWN'
  if (atMs > nowMs + AHEAD_MS) return 'CLAIM_IN_FUTURE'
  return atMs < nowMs - OLDEST_MS ? 'CLAIM_TOO_OLD' : undefined
}

/** As it is kept. The name follows from the claim: filed again, as after an answer that was lost, it is the same attempt. */
function attemptOf({ at, slot, code }: Claimed, subject: string | null, nowMs: number): Attempt {
  const told = isoTime(Math.min(Date.parse(at), nowMs))
  const name = createHash('sha256')
    .update(JSON.stringify([subject, slot, told]))
    .digest('base64url')
    .slice(0, 22)
  return {
    id: `claim-${name}`,
    at: told,
    slot,
    subject,
    declared: null,
    outcome: 'claimed',
    code,
    uploadId: null,
    filedAt: isoTime(nowMs),
  }
}

/** What is kept of claims: of one slot one a minute. A thousand prove no more. */
export function attemptsOf(claims: readonly Claimed[], subject: string | null, nowMs: number): Attempt[] {
  const minutes = new Map(claims.map((one) => [`${one.slot} ${Math.floor(Date.parse(one.at) / MINUTE_MS)}`, one]))
  return [...minutes.values()].map((one) => attemptOf(one, subject, nowMs))
}
