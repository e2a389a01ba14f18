// The whole audit of a stage, told by submission.

import type { Hand } from '../model.ts'
import type { Stage } from '../stage/stage.ts'
import { allEvents, auditDeliveries, auditEvents } from './events.ts'
import { auditFile } from './files.ts'
import { auditLeftovers } from './leftovers.ts'
import { versionsOf } from './records.ts'
import { settle } from './settle.ts'

export type Audit = {
  /** Of each hand, in order. */
  byHand: { faults: string[]; skipped: number }[]
  /** Of the installation as a whole. */
  shared: string[]
}

/** `told` false: Redis has lost its log of events on the way, so that it cannot be compared with anything. */
export async function audit(stage: Stage, hands: readonly Hand[], { told = true } = {}): Promise<Audit> {
  const unsettled = await settle(stage, hands, told)
  const log = told ? await allEvents(stage) : []
  const partials = new Set<string>()
  const byHand = []
  for (const hand of hands) {
    const faults: string[] = []
    const ids = hand.files.map(({ id }) => id)
    for (const file of hand.files) {
      faults.push(...(await auditFile(stage, file)))
      const concat = (await versionsOf(stage.bytes, file.id)).at(-1)?.concat
      if (concat?.kind === 'final')
        for (const partial of concat.partials) {
          ids.push(partial)
          partials.add(partial)
          const end = { id: partial, sha256: '', bytes: 0, end: 'cancelled' as const }
          faults.push(...(await auditFile(stage, end)).filter((fault) => !fault.startsWith('outcomes')))
        }
    }
    const events = told ? await auditEvents(stage, hand, ids, log) : { faults: [], skipped: 0 }
    byHand.push({ faults: [...faults, ...events.faults], skipped: events.skipped })
  }
  const deliveries = told ? auditDeliveries(stage, log) : []
  const leftovers = await auditLeftovers(stage, hands, partials)
  return { byHand, shared: [...unsettled, ...deliveries, ...leftovers] }
}
