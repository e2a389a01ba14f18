// What was told of a submission: every version that is an event once, under numbers that rise, and to the portal too.

import type { EventBody } from '../../../src/records/event-body.ts'
import type { Hand } from '../model.ts'
import { OWNER, type Stage } from '../stage/stage.ts'
import { headsOf, versionsOf } from './records.ts'

/** All events of the log, oldest first. */
export async function allEvents({ portal }: Stage): Promise<EventBody[]> {
  const all: EventBody[] = []
  for (let cursor: string | undefined; ; ) {
    const { items, nextCursor } = await portal.events(cursor)
    if (items.length === 0) return all
    all.push(...items)
    cursor = nextCursor
  }
}

/** `skipped`: numbers that nothing carries, drawn by a process that died before it could use them. */
export async function auditEvents(
  stage: Stage,
  { submissionId }: Hand,
  uploadIds: readonly string[],
  log: readonly EventBody[],
): Promise<{ faults: string[]; skipped: number }> {
  const faults: string[] = []
  const told = log.filter(({ data }) => data.submissionId === submissionId)
  const expected = new Set<string>()
  const numbers = new Set(told.map(({ data }) => data.sequence))
  for (const id of uploadIds)
    for (const { event, version, sequence } of await versionsOf(stage.bytes, id)) {
      numbers.add(sequence)
      if (event !== null) expected.add(`evt_${id}_${version}`)
    }
  for (const { event, version, sequence } of await headsOf(stage.bytes, submissionId)) {
    numbers.add(sequence)
    if (event !== null) expected.add(`evt_${OWNER}_${submissionId}_${version}`)
  }
  const ids = told.map(({ id }) => id)
  for (const id of expected) if (!ids.includes(id)) faults.push(`never told: ${id}`)
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) faults.push(`told twice: ${id}`)
  const sequences = told.map(({ data }) => data.sequence)
  for (const one of new Set(sequences.filter((number, i) => sequences.indexOf(number) !== i)))
    faults.push(
      `number ${one} given to ${told
        .filter(({ data }) => data.sequence === one)
        .map(({ type }) => type)
        .join(' and ')}`,
    )
  const completes = told.filter(({ type }) => type === 'submission.complete' || type === 'submission.incomplete')
  if (completes.some(({ type }, i) => type === completes[i - 1]?.type)) faults.push('news of completeness repeated')
  const highest = Math.max(0, ...numbers)
  const used = [...numbers].filter((number) => number > 0).length
  return { faults, skipped: highest - used }
}

/** Deliveries: each event at least once and as it is; again only where a worker died in between. */
export function auditDeliveries({ receiver, worker }: Stage, told: readonly EventBody[]): string[] {
  const faults: string[] = []
  for (const event of told) {
    const same = receiver.deliveries.filter(({ id }) => id === event.id)
    if (same.length === 0) faults.push(`webhook never delivered: ${event.type} ${event.id}`)
    for (const [i, { body, atMs }] of same.entries()) {
      if (body !== JSON.stringify(event)) faults.push(`webhook ${event.id} says something else`)
      const before = same[i - 1]
      if (before !== undefined && !worker.deathsMs.some((died) => died >= before.atMs && died <= atMs))
        faults.push(`webhook ${event.id} delivered again although no worker died`)
    }
  }
  const known = new Set(told.map(({ id }) => id))
  for (const id of new Set(receiver.deliveries.map((delivery) => delivery.id)))
    if (!known.has(id)) faults.push(`webhook of an event that nobody knows: ${id}`)
  return faults
}
