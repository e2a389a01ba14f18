// What the reconciler promises beside many due uploads: a lost job is found in the same run, what only waits for its job costs
// no call to the store, and nothing is believed of Redis that the store may know better.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { uploadJobId } from '../../../src/jobs/contract.ts'
import { receivingRecord } from '../../../src/lifecycle/transitions.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { draftFor } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'

const MINUTE_MS = 60_000
const WAITING = 1200

let stack: Environment
let aheadMs = 0
beforeEach(async () => {
  aheadMs = 0
  stack = await openEnvironment({ listens: false, clock: { now: () => Date.now() + aheadMs } })
  await stack.commitHead('many')
})
afterEach(() => stack.close())

/** Uploads that wait for their verdicts, as Redis knows them; the store is not asked for any. */
async function waitingForVerdicts(count: number): Promise<void> {
  const { index, queues, clock } = stack.deps
  const records = Array.from({ length: count }, (_, n): UploadRecord => {
    const draft = draftFor('many')
    const stored = reached(receivingRecord(draft, { key: objectKeys.data(draft.id) }, n), 'stored', { sequence: n })
    return { ...stored, version: 2, nonce: 'n', committedAt: draft.createdAt }
  })
  await queues.byLane.validate.addBulk(
    records.map(({ id }) => ({
      name: 'validate',
      data: { uploadId: id, generation: 1 },
      opts: { jobId: uploadJobId('validate', id, 1), priority: 7 },
    })),
  )
  for (const record of records)
    await index.apply({
      cacheKey: redisKeys.record(record.id),
      version: record.version,
      json: JSON.stringify(record),
      owner: record.owner,
      submissionId: record.submissionId,
      upload: { id: record.id, createdAtMs: clock.now(), dueAtMs: clock.now() },
      event: null,
      announce: false,
    })
}

/** A stored upload whose job was lost. */
async function withoutJob(): Promise<UploadRecord> {
  const draft = draftFor('many')
  await stack.deps.uploads.commit(draft.id, () => receivingRecord(draft, { key: objectKeys.data(draft.id) }, 1))
  return await stack.reach(draft.id, 'stored')
}

test('beside many uploads that wait for their jobs a lost job is found in the same run', async () => {
  await waitingForVerdicts(WAITING)
  const { id } = await withoutJob()
  const { deps } = stack
  let lists = 0
  const { list } = deps.store
  deps.store.list = (...asked) => {
    lists++
    return list.call(deps.store, ...asked)
  }
  aheadMs = 2 * MINUTE_MS
  const looked = await deps.reconciler.tick()
  expect(await deps.queues.stateOf('validate', id, 1)).toBe('prioritized')
  expect(looked).toBe(WAITING + 1)
  // The lost one, and the tenth part of the others, whose turn it is.
  expect(lists).toBeLessThan(WAITING / 2)
  expect(await deps.reconciler.tick()).toBe(0)
})

test('two processes check different uploads; what one took is due again if it dies', async () => {
  await waitingForVerdicts(20)
  const { hot, clock } = stack.deps
  const againMs = clock.now() + MINUTE_MS
  const taken = await Promise.all([1, 2, 3].map(() => hot.leaseDue(clock.now(), 7, againMs)))
  expect(new Set(taken.flat()).size).toBe(20)
  expect(await hot.leaseDue(clock.now(), 7, againMs)).toEqual([])
  expect(await hot.leaseDue(againMs, 100, againMs)).toHaveLength(20)
})

test('a commit of which Redis has not heard is found, although its upload waits for its job', async () => {
  const { deps } = stack
  const { id } = await withoutJob()
  const { apply } = deps.index
  const record = await deps.uploads.latest(id)
  if (record === undefined) throw new Error('not committed')
  await deps.laneJobs.enqueue(record, 'validate')
  deps.index.apply = () => Promise.reject(new Error('the process dies'))
  await stack.reach(id, 'checking')
  deps.index.apply = apply
  expect((await deps.uploads.latest(id))?.state).toBe('stored')
  aheadMs = 2 * MINUTE_MS
  await deps.reconciler.tick()
  expect((await deps.uploads.latest(id))?.state).toBe('checking')
})
