// The limits in a ticket, so that a page can refuse files before sending.

import type { MediaKind } from '../../core/identify.ts'
import type { SlotRules } from '../profiles/profile.ts'

export type TicketLimits = {
  kinds: MediaKind[]
  /** Lower case, without a dot. */
  extensions: string[]
  mimeTypes: string[]
  /** Of the kind with the largest limit; other kinds may have lower ones. */
  maxBytes: number
  /** Null: no limit, or no kind has a duration. */
  maxDurationSeconds: number | null
  maxPages: number | null
}

/** @param maxBytes the ticket's own limit, if any; never above the slot's */
export function ticketLimits(slot: SlotRules, maxBytes?: number): TicketLimits {
  const { media } = slot
  return {
    kinds: media.map((rules) => rules.kind),
    extensions: [...new Set(media.flatMap((rules) => rules.extensions))],
    mimeTypes: [...new Set(media.flatMap((rules) => rules.mimeTypes))],
    maxBytes: Math.min(Math.max(...media.map((rules) => rules.maxBytes)), maxBytes ?? Number.MAX_SAFE_INTEGER),
    maxDurationSeconds: greatest(media.map((rules) => rules.maxDurationSeconds)),
    maxPages: greatest(media.map((rules) => rules.maxPages)),
  }
}

function greatest(limits: readonly (number | undefined)[]): number | null {
  const known = limits.filter((limit) => limit !== undefined)
  return known.length > 0 ? Math.max(...known) : null
}
