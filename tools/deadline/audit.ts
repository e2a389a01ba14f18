// What the records and the events say afterwards.

import { inParallel } from '../../src/core/in-parallel.ts'
import { envelopeOf } from '../../src/events/log.ts'
import { AFTER_CLOSE_MS } from '../../src/records/deadline-steps.ts'
import { redisKeys } from '../../src/records/keys.ts'
import { OWNER } from '../../test/support/drafts.ts'
import { waitFor } from '../../test/support/http.ts'
import type { Stage } from './stage.ts'

const WIDTH = 16
const CHUNK = 1000

export type Findings = {
  /** One line each; empty: each was sealed once, none too early, none missed. */
  errors: string[]
  /** The last seal, milliseconds after the end of its submission. */
  latestMs: number
}

/**
 * Counts the submissions whose seal was told, by the events of the portal. It reads only what is new since it was last
 * asked: reading a log of tens of thousands each second would slow the services that are measured.
 */
export function sealCounter({ byHand }: Stage, ids: readonly string[]): () => Promise<number> {
  const { redis, index } = byHand.deps
  const awaited = new Set(ids)
  let after = '-'
  return async () => {
    for (;;) {
      const entries = await redis.hot.xrange(index.keys.events(OWNER), after, '+', 'COUNT', CHUNK)
      for (const entry of entries) {
        const { type, data } = envelopeOf(entry).body
        if (type === 'submission.sealed') awaited.delete(data.submissionId)
      }
      const last = entries.at(-1)?.[0]
      if (last === undefined) return ids.length - awaited.size
      after = `(${last}`
    }
  }
}

/** @param closesMs the end of a submission that counted when it was sealed */
export async function audit(stage: Stage, ids: readonly string[], closesMs: (id: string) => number): Promise<Findings> {
  const { heads } = stage.byHand.deps
  const errors: string[] = []
  let latestMs = 0
  const told = new Map<string, number>()
  for (const { type, data } of await stage.byHand.events())
    if (type === 'submission.sealed') told.set(data.submissionId, (told.get(data.submissionId) ?? 0) + 1)
  await inParallel(WIDTH, ids, async (id) => {
    const seals = (await heads.versions(OWNER, id)).filter(({ event }) => event === 'submission.sealed')
    const newest = await heads.fromStore(OWNER, id)
    if (newest?.state !== 'sealed') errors.push(`${id}: missed, it is ${newest?.state}`)
    if (seals.length !== 1 || newest?.revisions.length !== 1) errors.push(`${id}: sealed ${seals.length} times`)
    if (told.get(id) !== 1) errors.push(`${id}: its seal was told ${told.get(id) ?? 0} times`)
    for (const { committedAt, revisions } of seals) {
      const afterMs = Date.parse(committedAt) - closesMs(id)
      latestMs = Math.max(latestMs, afterMs)
      if (afterMs < AFTER_CLOSE_MS) errors.push(`${id}: sealed ${AFTER_CLOSE_MS - afterMs} ms too early`)
      if (revisions[0]?.sealedBy !== 'deadline') errors.push(`${id}: sealed by ${revisions[0]?.sealedBy}`)
      if (revisions[0]?.uploads?.['plan']?.length !== 1) errors.push(`${id}: sealed without its file`)
    }
  })
  // Leases of a service that died end after some seconds.
  const { hot } = stage.byHand.deps.redis
  await waitFor(async () => (await hot.zcard(redisKeys.dueDates)) === 0, { what: 'the index to be empty' })
  return { errors, latestMs }
}
