// Short work does not wait for films: a place of its own takes it from the same queue, and leaves long work where it is.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type UploadJob, uploadJobId } from '../../../src/jobs/contract.ts'
import { LaneHeld } from '../../../src/lifecycle/lane-leases.ts'
import { type ShortWork, startShortWork } from '../../../workers/lanes/short-work.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { NoRoom } from '../../../workers/media/scratch.ts'
import type { WorkerContext } from '../../../workers/worker-context.ts'
import { startChild } from '../../support/children.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'

let corpus: Corpus
let stack: Environment
let places: ShortWork[] = []
let submissions = 0
beforeAll(async () => {
  corpus = await createCorpus()
  stack = await openEnvironment({
    listens: false,
    lanes: MEDIA_LANES,
  })
})
afterEach(async () => {
  await Promise.all(places.map((place) => place.stop()))
  places = []
  for (const job of await waiting()) await job.remove()
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

const openPlace = (deps: WorkerContext = stack.deps) => {
  const place = startShortWork(deps, async () => true)
  places.push(place)
  return place
}

/** Clips whose copies are due, and wait in the queue. */
async function clips(count = 1): Promise<string[]> {
  const submissionId = `quick-${++submissions}`
  await stack.commitHead(submissionId)
  const film = await lesson(corpus, { seconds: 3 })
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push(await stack.upload(film, { submissionId, subject: `p-${i}`, queue: false }))
  for (const id of ids) await stack.once(validateWork(stack.deps), stack.deps, id)
  return ids
}

const waiting = async () => await stack.deps.queues.byLane.transcode.getJobs(['prioritized'], 0, -1, true)
const stateOf = (id: string, generation = 1) => stack.deps.queues.stateOf('transcode', id, generation)
const transcodeOf = async (id: string) => (await stack.latest(id)).lanes.transcode

it('a clip is ready while a film before it waits, and the film stays where it was', async () => {
  const { transcode } = stack.deps.queues.byLane
  const film = uploadJobId('transcode', 'a-film', 1)
  await transcode.add('transcode', { uploadId: 'a-film', generation: 1, seconds: 900 }, { jobId: film, priority: 1 })
  const [id = ''] = await clips()
  expect((await waiting()).map((job) => job.id)).toEqual([film, uploadJobId('transcode', id, 1)])
  openPlace()
  await stack.until(id, ({ state }) => state === 'ready')
  expect((await waiting()).map((job) => job.id)).toEqual([film])
  await (await transcode.getJob(film))?.remove()
})

it.each([2, 4])('%i places that look at once run a clip once, and nobody dies of it', async (count) => {
  const ids = await clips(3)
  for (let i = 0; i < count; i++) openPlace()
  for (const id of ids) {
    const { state, lanes } = await stack.until(
      id,
      (record) => record.state === 'ready' || record.lanes.transcode?.final === true,
    )
    expect(state).toBe('ready')
    expect(lanes.transcode).toMatchObject({ generation: 1, attempts: 1 })
    expect(lanes.transcode?.deaths).toBeUndefined()
  }
})

it('of many who take a job out of its queue one has it, and then the queue has it no more', async () => {
  const [id = ''] = await clips()
  const jobId = uploadJobId('transcode', id, 1)
  const taken = await Promise.all(Array.from({ length: 20 }, () => stack.deps.queues.takeOut('transcode', jobId)))
  expect(taken.filter(Boolean)).toHaveLength(1)
  expect(await stateOf(id)).toBe('unknown')
})

describe('a lease', () => {
  it('is taken from nobody who may be at work', async () => {
    const [id = ''] = await clips()
    const { leases } = stack.deps
    const mine = await leases.acquire(id, 'transcode', { generation: 1, run: 0 })
    await expect(leases.acquire(id, 'transcode', { generation: 1, run: 0 })).rejects.toBeInstanceOf(LaneHeld)
    expect(await transcodeOf(id)).toMatchObject({ attempts: 1, claim: { token: mine?.token } })
  })

  it('that another place has makes a job of the queue wait for its end', async () => {
    const [id = ''] = await clips()
    const { leases, queues } = stack.deps
    const theirs = await leases.acquire(id, 'transcode', { generation: 1, run: 0 })
    await stack.start()
    await waitFor(async () => (await stateOf(id)) === 'delayed', { what: 'the job to stand back' })
    expect(await transcodeOf(id)).toMatchObject({ attempts: 1, claim: { token: theirs?.token } })
    if (theirs !== undefined) await leases.release(theirs)
    await (await queues.byLane.transcode.getJob(uploadJobId('transcode', id, 1)))?.promote()
    const { lanes } = await stack.until(id, ({ state }) => state === 'ready')
    await stack.stop()
    expect(lanes.transcode?.deaths).toBeUndefined()
  })
})

describe('work that comes to no result', () => {
  /** Its tools fail, though it is not the file's fault. */
  const troubled = (): WorkerContext => ({
    ...stack.deps,
    runner: { ...stack.deps.runner, run: () => Promise.reject(new Error('the machine has a cold')) },
  })

  it('is queued again for the lane itself, with its pauses and attempts, and not tried by every place in turn', async () => {
    const [id = ''] = await clips()
    for (let i = 0; i < 3; i++) openPlace(troubled())
    await waitFor(async () => (await transcodeOf(id))?.attempts === 1 && (await stateOf(id)) === 'prioritized', {
      what: 'the job to be back',
    })
    expect((await waiting()).map(({ data }) => (data as UploadJob).seconds)).toEqual([undefined])
    expect((await transcodeOf(id))?.claim).toBeUndefined()
    openPlace()
    await stack.start()
    const record = await stack.until(id, ({ state }) => state === 'ready')
    await stack.stop()
    expect(record.lanes.transcode).toMatchObject({ generation: 1, attempts: 2 })
  })

  it('because its worker goes, costs no attempt', async () => {
    const [id = ''] = await clips()
    let began = () => {}
    const begun = new Promise<void>((resolve) => {
      began = resolve
    })
    const { runner } = stack.deps
    const run: typeof runner.run = (job) => {
      began()
      return new Promise((_, reject) => job.signal?.addEventListener('abort', () => reject(job.signal?.reason)))
    }
    const place = openPlace({ ...stack.deps, runner: { ...runner, run } })
    await begun
    await place.stop()
    expect(await stateOf(id)).toBe('prioritized')
    expect((await transcodeOf(id))?.attempts).toBe(0)
    openPlace()
    await stack.until(id, ({ state }) => state === 'ready')
  })

  it('because there is no room for it, costs no attempt', async () => {
    const [id = ''] = await clips()
    const open = () => Promise.reject(new NoRoom('OUT_OF_SPACE', 'system', 'full'))
    openPlace({ ...stack.deps, room: { ...stack.deps.room, open } })
    await waitFor(async () => (await waiting()).some(({ data }) => data.seconds === undefined), {
      what: 'the job to be given back',
    })
    expect(await transcodeOf(id)).toMatchObject({ attempts: 0 })
  })

  it('because Redis is away as well, is nobody’s death, and goes on when Redis is back', async () => {
    const [id = ''] = await clips()
    const { runner } = stack.deps
    const run: typeof runner.run = () => {
      stack.redis.pause()
      return Promise.reject(new Error('the machine has a cold'))
    }
    openPlace({ ...stack.deps, runner: { ...runner, run } })
    await waitFor(() => stack.lines.some((line) => line.includes('lane lease not released; trying again')), {
      what: 'Redis to be missed',
    })
    stack.redis.resume()
    await waitFor(async () => (await stateOf(id)) === 'prioritized', { what: 'the job to be back' })
    await stack.start()
    const { lanes } = await stack.until(id, ({ state }) => state === 'ready')
    await stack.stop()
    expect(lanes.transcode).toMatchObject({ generation: 1, attempts: 2 })
    expect(lanes.transcode?.deaths).toBeUndefined()
  })
})

describe('a process that dies', () => {
  it('after it took a job out, before it began: the reconciler finds it at once', async () => {
    const [id = ''] = await clips()
    await stack.deps.queues.takeOut('transcode', uploadJobId('transcode', id, 1))
    await stack.deps.reconciler.one(id)
    expect(await stateOf(id)).toBe('prioritized')
    expect((await transcodeOf(id))?.deaths).toBeUndefined()
    openPlace()
    await stack.until(id, ({ state }) => state === 'ready')
  })

  it('in the middle of it: the reconciler finds it, and it is made at once where its death can be seen', async () => {
    const armory = await mkdtemp(join(tmpdir(), 'songngan-place-'))
    onTestFinished(() => rm(armory, { recursive: true, force: true }))
    const [id = ''] = await clips()
    await writeFile(join(armory, 'armed'), 'transcode.started 1 place')
    const { exited } = await startChild(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'short-place.ts')],
      { env: { ...stack.env, OPS_PORT: '0', FAULT_POINTS: armory } },
    )
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(await stateOf(id)).toBe('unknown')
    expect(await transcodeOf(id)).toMatchObject({ attempts: 1, claim: { run: 0 } })
    await stack.deps.reconciler.one(id)
    openPlace()
    const { renditions, lanes } = await stack.until(id, ({ state }) => state === 'ready')
    expect(renditions.map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(lanes.transcode?.attempts).toBe(2)
  })
})
