// The complete audit of a stage, with errors by submission.

import type { Hand } from '../model.ts'
import type { Stage } from '../stage/stage.ts'
import { auditErased, isErased } from './erased.ts'
import { allEvents, auditDeliveries, auditEvents } from './events.ts'
import { auditFile } from './files.ts'
import { auditLeftovers } from './leftovers.ts'
import { versionsOf } from './records.ts'
import { settle } from './settle.ts'

export type Audit = {
  /** For each hand, in order. */
  byHand: { errors: string[]; skipped: number }[]
  /** Errors of the installation that belong to no submission. */
  shared: string[]
}

/** `hasEventLog` false: Redis lost its event log during the run, so events cannot be compared. */
export async function audit(stage: Stage, hands: readonly Hand[], { hasEventLog = true } = {}): Promise<Audit> {
  const unsettled = await settle(stage, hands, hasEventLog)
  const log = hasEventLog ? await allEvents(stage) : []
  const partials = new Set<string>()
  const byHand = []
  for (const hand of hands) {
    const errors: string[] = []
    const ids = hand.files.map(({ id }) => id)
    for (const file of hand.files) {
      errors.push(...(await auditFile(stage, file)))
      const concat = (await versionsOf(stage.bytes, file.id)).at(-1)?.concat
      if (concat?.kind === 'final')
        for (const partial of concat.partials) {
          ids.push(partial)
          partials.add(partial)
          const end = { id: partial, sha256: '', bytes: 0, end: 'cancelled' as const }
          errors.push(...(await auditFile(stage, end)).filter((error) => !error.startsWith('outcomes')))
        }
    }
    if (isErased(hand)) errors.push(...(await auditErased(stage, hand)))
    const events =
      hasEventLog && !isErased(hand) ? await auditEvents(stage, hand, ids, log) : { errors: [], skipped: 0 }
    byHand.push({ errors: [...errors, ...events.errors], skipped: events.skipped })
  }
  const deliveries = hasEventLog ? auditDeliveries(stage, log, hands) : []
  const leftovers = await auditLeftovers(stage, hands, partials)
  return { byHand, shared: [...unsettled, ...deliveries, ...leftovers] }
}
