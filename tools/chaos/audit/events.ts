// Events of a submission: each version that is an event is published once, with rising numbers, and delivered to the portal.

import type { EventBody } from '../../../src/records/event-body.ts'
import type { Hand } from '../model.ts'
import { OWNER, type Stage } from '../stage/stage.ts'
import { erasedIds } from './erased.ts'
import { headsOf, versionsOf } from './records.ts'

/** All events of the event log, oldest first. */
export async function allEvents({ portal }: Stage): Promise<EventBody[]> {
  const all: EventBody[] = []
  for (let cursor: string | undefined; ; ) {
    const { items, nextCursor } = await portal.events(cursor)
    if (items.length === 0) return all
    all.push(...items)
    cursor = nextCursor
  }
}

/** `skipped`: sequence numbers without a version or event, reserved by a process that died before it used them. */
export async function auditEvents(
  stage: Stage,
  { submissionId }: Hand,
  uploadIds: readonly string[],
  log: readonly EventBody[],
): Promise<{ errors: string[]; skipped: number }> {
  const errors: string[] = []
  const published = log.filter(({ data }) => data.submissionId === submissionId)
  const expected = new Set<string>()
  const numbers = new Set(published.map(({ data }) => data.sequence))
  for (const id of uploadIds)
    for (const { event, version, sequence } of await versionsOf(stage.bytes, id)) {
      numbers.add(sequence)
      if (event !== null) expected.add(`evt_${id}_${version}`)
    }
  for (const { event, version, sequence } of await headsOf(stage.bytes, submissionId)) {
    numbers.add(sequence)
    if (event !== null) expected.add(`evt_${OWNER}_${submissionId}_${version}`)
  }
  const ids = published.map(({ id }) => id)
  for (const id of expected) if (!ids.includes(id)) errors.push(`never published: ${id}`)
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) errors.push(`published twice: ${id}`)
  const sequences = published.map(({ data }) => data.sequence)
  for (const one of new Set(sequences.filter((number, i) => sequences.indexOf(number) !== i)))
    errors.push(
      `number ${one} given to ${published
        .filter(({ data }) => data.sequence === one)
        .map(({ type }) => type)
        .join(' and ')}`,
    )
  const completes = published.filter(({ type }) => type === 'submission.complete' || type === 'submission.incomplete')
  if (completes.some(({ type }, i) => type === completes[i - 1]?.type))
    errors.push('complete/incomplete event repeated without a change')
  const highest = Math.max(0, ...numbers)
  const used = [...numbers].filter((number) => number > 0).length
  return { errors, skipped: highest - used }
}

/** Deliveries: each event at least once and unchanged; repeated only if a worker died in between. */
export function auditDeliveries(
  { receiver, worker }: Stage,
  published: readonly EventBody[],
  hands: readonly Hand[],
): string[] {
  const errors: string[] = []
  const erased = erasedIds(hands)
  for (const event of published) {
    const same = receiver.deliveries.filter(({ id }) => id === event.id)
    if (same.length === 0 && !erased.has(event.data.submissionId))
      errors.push(`webhook never delivered: ${event.type} ${event.id}`)
    for (const [i, { body, atMs }] of same.entries()) {
      if (body !== JSON.stringify(event)) errors.push(`webhook ${event.id} has another body than the event`)
      const before = same[i - 1]
      if (before !== undefined && !worker.restartsMs.some((ms) => ms >= before.atMs && ms <= atMs))
        errors.push(`webhook ${event.id} delivered again although no worker died`)
    }
  }
  const known = new Set(published.map(({ id }) => id))
  for (const id of new Set(receiver.deliveries.map((delivery) => delivery.id)))
    if (!known.has(id)) errors.push(`webhook of an event that is not in the event log: ${id}`)
  return errors
}
