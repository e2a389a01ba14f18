// What is due by the clock: the timetable, what died processes left behind, and media whose time is over.

import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import { createMaintain, scheduleMaintenance } from '../../../workers/lanes/maintain.ts'
import { applyRetention } from '../../../workers/lanes/retention.ts'
import { sweepStaging } from '../../../workers/lanes/staging.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { folderName } from '../../../workers/media/scratch.ts'
import { OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { QUICK } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { noise } from '../../support/media/hostile.ts'
import { lesson } from '../../support/media/videos.ts'

const DAY_MS = 86_400_000

let corpus: Corpus
let stack: Environment
let aheadMs = 0

beforeAll(async () => {
  corpus = await createCorpus()
  stack = await openEnvironment({ listens: false, lanes: 'maintain', clock: { now: () => Date.now() + aheadMs } })
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

async function judged(path: string, submissionId: string, replaces: string | null = null): Promise<string> {
  const id = await stack.upload(path, { submissionId, replaces, queue: false })
  await stack.once(validateWork(stack.deps), stack.deps, id)
  return id
}

async function objectsOf(id: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of stack.deps.store.list(objectKeys.upload(id)))
    if (!key.startsWith(objectKeys.uploadRecord(id))) keys.push(key)
  return keys
}

const removedAt = async (id: string) => (await stack.latest(id)).mediaRemovedAt

describe('the periodic tasks', () => {
  it('are scheduled once, with any number of workers', async () => {
    await Promise.all([scheduleMaintenance(stack.deps), scheduleMaintenance(stack.deps)])
    const schedulers = await stack.deps.queues.byLane.maintain.getJobSchedulers()
    expect(schedulers.map(({ key, every }) => [key, every]).toSorted()).toEqual([
      ['maintain-reconcile', 60_000],
      ['maintain-retention', DAY_MS],
      ['maintain-sweep', 3_600_000],
    ])
  })

  it('are scheduled again after a loss of Redis, and otherwise not changed', async () => {
    const { byLane } = stack.deps.queues
    const next = async () => (await byLane.maintain.getJobSchedulers()).map(({ key, next }) => [key, next])
    const before = await next()
    await scheduleMaintenance(stack.deps)
    expect(await next()).toEqual(before)
    await stack.deps.redis.hot.flushall()
    await scheduleMaintenance(stack.deps)
    expect((await next()).map(([key]) => key).toSorted()).toEqual(before.map(([key]) => key).toSorted())
  })

  it('run: an upload that was not queued is found', async () => {
    await stack.commitHead('found')
    const id = await stack.upload(await lesson(corpus, { seconds: 2 }), {
      submissionId: 'found',
      queue: false,
    })
    await stack.deps.hot.setDue(id, 0)
    const { close } = await stack.start(QUICK)
    await waitFor(async () => (await stack.deps.queues.stateOf('validate', id, 1)) !== 'unknown', {
      what: 'the upload to be queued',
    })
    await close(0)
  })
})

describe('retention', () => {
  it('deletes the media of a rejected file after its retention; the record stays with a note', async () => {
    await stack.commitHead('a')
    const rejected = await judged(await noise(corpus), 'a')
    const accepted = await judged(await lesson(corpus, { seconds: 2 }), 'a')
    expect(await applyRetention(stack.deps)).toBe(0)

    aheadMs += 31 * DAY_MS
    expect(await applyRetention(stack.deps)).toBe(1)
    expect(await objectsOf(rejected)).toEqual([])
    expect(await stack.latest(rejected)).toMatchObject({
      state: 'rejected',
      problems: [{ code: 'TYPE_MISMATCH' }],
    })
    expect(await removedAt(rejected)).toBeDefined()
    expect(await objectsOf(accepted)).toHaveLength(1)
    expect(await applyRetention(stack.deps)).toBe(0)
  })

  it('continues after a worker died between the commit and the deletion', async () => {
    await stack.commitHead('d')
    const id = await judged(await noise(corpus), 'd')
    aheadMs += 31 * DAY_MS
    const dying = { remove: { value: () => Promise.reject(new Error('this worker dies')) } }
    const deps = { ...stack.deps, store: Object.create(stack.deps.store, dying) as typeof stack.deps.store }
    await expect(applyRetention(deps)).rejects.toThrow('this worker dies')
    expect(await removedAt(id)).toBeDefined()
    expect(await objectsOf(id)).toHaveLength(1)
    await applyRetention(stack.deps)
    expect(await objectsOf(id)).toEqual([])
    expect(await applyRetention(stack.deps)).toBe(0)
  })

  it('deletes a replaced file later, and never a sealed one', async () => {
    await stack.commitHead('b')
    const first = await judged(await lesson(corpus, { seconds: 2 }), 'b')
    const second = await judged(await lesson(corpus, { seconds: 3 }), 'b', first)
    await stack.commitHead('c')
    const frozen = await judged(await lesson(corpus, { seconds: 2 }), 'c')
    await stack.commitHead('c', { revision: 2, revisions: [{ revision: 1, uploads: { clip: [frozen] } }] })
    await judged(await lesson(corpus, { seconds: 3 }), 'c', frozen)

    aheadMs += 31 * DAY_MS
    await applyRetention(stack.deps)
    expect(await removedAt(first)).toBeUndefined()
    aheadMs += 60 * DAY_MS
    await applyRetention(stack.deps)
    expect(await removedAt(first)).toBeDefined()
    expect(await objectsOf(first)).toEqual([])
    expect(await objectsOf(second)).toHaveLength(1)
    expect(await removedAt(frozen)).toBeUndefined()
    expect(await stack.deps.heads.latest(OWNER, 'c')).toBeDefined()
  })
})

describe('a sweep', () => {
  it('deletes scratch files of dead processes, and old unfinished writes', async () => {
    const scratch = join(stack.dataDir, 'scratch')
    const staging = join(stack.dataDir, 'staging')
    const owner = { host: hostname(), pid: 1, started: '999999999999' }
    await mkdir(join(scratch, folderName(owner, 'job')), { recursive: true })
    await mkdir(staging, { recursive: true })
    await writeFile(join(staging, 'old'), 'old')
    await writeFile(join(staging, 'new'), 'new')
    const long = new Date(stack.deps.clock.now() - 2 * DAY_MS)
    await utimes(join(staging, 'old'), long, long)
    const now = new Date(stack.deps.clock.now())
    await utimes(join(staging, 'new'), now, now)

    await createMaintain(stack.deps)({ data: { task: 'sweep' } } as Parameters<ReturnType<typeof createMaintain>>[0])
    expect(await readdir(scratch)).toEqual([])
    expect(await readdir(staging)).toEqual(['new'])
    await rm(staging, { recursive: true })
    expect(await sweepStaging(stack.deps)).toBe(0)
  })
})
