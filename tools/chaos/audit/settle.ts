// Waits until all work is done: every file at its end, no job left, every event delivered. Work that is due later is made
// due now.

import { waitFor } from '../../../test/support/http.ts'
import type { Hand } from '../model.ts'
import type { Stage } from '../stage/stage.ts'
import { auditErased, erasedIds, isErased } from './erased.ts'
import { allEvents } from './events.ts'
import { isAtItsEnd } from './files.ts'

const PATIENCE_MS = 90_000
const NUDGE_MS = 1500

/** @returns what did not finish in time; empty if everything did */
export async function settle(stage: Stage, hands: readonly Hand[], hasEventLog = true): Promise<string[]> {
  const waiting = new Set<string>()
  let nudgedMs = 0
  const quiet = async () => {
    if (performance.now() - nudgedMs > NUDGE_MS) {
      nudgedMs = performance.now()
      await stage.hurry()
      await stage.maintain('reconcile')
      await stage.maintain('retention')
      await stage.maintain('sweep')
    }
    waiting.clear()
    for (const file of hands.flatMap(({ files }) => files))
      if (!(await isAtItsEnd(stage, file))) waiting.add(`upload ${file.id} is not ${file.end}`)
    for (const hand of hands.filter(isErased)) for (const fault of await auditErased(stage, hand)) waiting.add(fault)
    if (waiting.size > 0) return false
    for (const lane of ['validate', 'inspect', 'transcode', 'notify'] as const) {
      const queue = stage.queues[lane]
      const left = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized')
      if (Object.values(left).some((count) => count > 0)) waiting.add(`jobs of ${lane}: ${JSON.stringify(left)}`)
    }
    // A sweep that has not finished may still find something.
    const tasks = await stage.queues.maintain.getJobCounts('waiting', 'active')
    if (Object.values(tasks).some((count) => count > 0)) waiting.add('tasks of maintenance')
    for (const key of await stage.bytes.openMultiparts()) waiting.add(`multipart upload of ${key}`)
    if (hasEventLog) {
      const delivered = new Set(stage.receiver.deliveries.map(({ id }) => id))
      const erased = erasedIds(hands)
      for (const { id, data } of await allEvents(stage))
        if (!delivered.has(id) && !erased.has(data.submissionId)) waiting.add(`webhook ${id}`)
    }
    return waiting.size === 0
  }
  try {
    await waitFor(quiet, { timeoutMs: PATIENCE_MS, intervalMs: 200 })
    return []
  } catch (error) {
    if (waiting.size === 0) throw error
    return [...waiting]
  }
}
