// A lease is taken over from the dead, and a death is counted only where a worker may have died.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Job, Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { QUEUE_PREFIX, type UploadJob, uploadJobId } from '../../../src/jobs/contract.ts'
import { LANE_LEASE_MS, LaneHeld, type LaneLease } from '../../../src/lifecycle/lane-leases.ts'
import { runApart } from '../../../workers/lanes/deadly.ts'
import { JobReleased } from '../../../workers/lanes/job-released.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { folderName } from '../../../workers/media/scratch.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { deadProcess, ELSEWHERE, heldBy } from '../../support/lease-holders.ts'

/** What a former version stored says nothing of its process. */
const UNSEEN: [string, string | undefined][] = [
  ['on another machine', ELSEWHERE],
  ['of a former version', undefined],
]

const ALONE = join(import.meta.dirname, '../../../workers/alone.ts')

let stack: Environment
let aheadMs: number
let submissions = 0
beforeAll(async () => {
  stack = await openEnvironment({ listens: false, lanes: 'validate', clock: { now: () => Date.now() + aheadMs } })
})
beforeEach(() => {
  aheadMs = 0
})
afterEach(() => stack.stop())
afterAll(() => stack?.close())

/** Its verdict is due: it is no film, which a worker finds out at once. */
async function stored(how: { queue: boolean } = { queue: false }): Promise<string> {
  const submissionId = `leased-${++submissions}`
  await stack.commitHead(submissionId)
  const path = join(stack.dataDir, submissionId)
  await writeFile(path, 'no film')
  return await stack.upload(path, { submissionId, ...how })
}

const laneOf = async (id: string) => (await stack.latest(id)).lanes.validate
/** Of any version of the record: a lane that is done forgets them. */
const mostDeaths = async (id: string) =>
  Math.max(...(await stack.deps.uploads.history(id, 0)).map(({ lanes }) => lanes.validate?.deaths ?? 0))
const scratch = () => join(stack.dataDir, 'scratch')
const acquire = (id: string, run: number) => stack.deps.leases.acquire(id, 'validate', { generation: 1, run })

async function acquired(id: string): Promise<LaneLease> {
  const lease = await acquire(id, 0)
  if (lease === undefined) throw new Error('nothing was due')
  return lease
}

describe('a holder that is seen to live', () => {
  it('keeps its lease where the queue has lost the lock of its job, and nobody counts as dead', async () => {
    const id = await stored()
    const mine = await acquired(id)
    await expect(acquire(id, 1)).rejects.toMatchObject({ name: 'LaneHeld', waitFor: undefined })
    const waited = { generation: 1, run: 1, waitedFor: mine.token }
    await expect(stack.deps.leases.acquire(id, 'validate', waited)).rejects.toBeInstanceOf(LaneHeld)
    expect(await laneOf(id)).toMatchObject({ attempts: 1, claim: { token: mine.token } })
    expect((await laneOf(id))?.deaths).toBeUndefined()
  })

  it('has time to renew what ran out meanwhile: a machine that slept, a store that was away', async () => {
    const id = await stored()
    const mine = await acquired(id)
    aheadMs = LANE_LEASE_MS + 1000
    await expect(acquire(id, 1)).rejects.toBeInstanceOf(LaneHeld)
    expect(await stack.deps.leases.renew(mine)).toBe(true)
  })

  it('keeps a short lease as well, and the reconciler leaves it alone', async () => {
    const id = await stored({ queue: true })
    const { leases, queues, redis, reconciler, uploads } = stack.deps
    // The queue has done with the job, so that only the lease says that somebody is at work.
    const forgetful = new Worker('validate', async () => 'nothing', { connection: redis.jobs, prefix: QUEUE_PREFIX })
    await waitFor(async () => (await queues.stateOf('validate', id, 1)) === 'completed')
    await forgetful.close()
    const mine = await leases.acquire(id, 'validate', { generation: 1, run: 0, leaseMs: 60_000 })
    aheadMs = 60_000 + 1000
    await reconciler.one(id)
    expect(await laneOf(id)).toMatchObject({ generation: 1, claim: { token: mine?.token } })
    await heldBy(ELSEWHERE, uploads, id, 'validate')
    await reconciler.one(id)
    expect(await laneOf(id)).toMatchObject({ generation: 2, deaths: 1 })
  })

  it('is not waited for without end, and is no death then either', async () => {
    const id = await stored()
    await acquired(id)
    aheadMs = 2 * LANE_LEASE_MS + 1000
    expect(await acquire(id, 1)).toBeDefined()
    expect(await laneOf(id)).toMatchObject({ attempts: 2 })
    expect((await laneOf(id))?.deaths).toBeUndefined()
  })
})

describe('a holder that is seen to be dead', () => {
  it('loses its lease at once, and counts', async () => {
    const id = await stored()
    await acquired(id)
    await heldBy(deadProcess(), stack.deps.uploads, id, 'validate')
    expect(await acquire(id, 0)).toBeDefined()
    expect(await laneOf(id)).toMatchObject({ attempts: 2, deaths: 1 })
  })
})

describe('a process for one job', () => {
  const left = async (id: string, signal: AbortSignal) => {
    const { leases, logger } = stack.deps
    const lease = await acquired(id)
    const release = leases.release.bind(leases)
    const releasing = vi.spyOn(leases, 'release')
    onTestFinished(() => releasing.mockRestore())
    releasing.mockRejectedValueOnce(new AppError('STORE_UNAVAILABLE')).mockImplementationOnce(async (...args) => {
      const released = await release(...args)
      // In the place of the process: its lease, its files, and no word.
      await leases.acquire(id, 'validate', { generation: 1, run: 0, alone: true })
      await heldBy(deadProcess(), stack.deps.uploads, id, 'validate')
      await mkdir(join(scratch(), folderName({ host: hostname(), pid: process.pid, started: '1' }, 'left')))
      return released
    })
    const data = { uploadId: id, generation: 1 }
    const job = { data, attemptsMade: 0, stalledCounter: 0, opts: {} } as Job<UploadJob>
    await runApart(stack.deps, { lease, job, cancelled: signal, logger, limitMs: 60_000 })
  }

  it('that ends without a word counts once, and an outage of the store while its job is handed over does not', async () => {
    const id = await stored()
    await expect(left(id, new AbortController().signal)).rejects.toBeInstanceOf(JobReleased)
    expect(await laneOf(id)).toMatchObject({ deaths: 1, attempts: 2 })
    expect((await laneOf(id))?.claim).toBeUndefined()
    expect((await readdir(scratch())).filter((name) => name.endsWith('.left'))).toEqual([])
  })

  it('that took too long to go is given back: no death, and no attempt', async () => {
    const id = await stored()
    await expect(left(id, AbortSignal.abort())).rejects.toBeInstanceOf(JobReleased)
    expect(await laneOf(id)).toMatchObject({ attempts: 1 })
    expect((await laneOf(id))?.deaths).toBeUndefined()
    expect((await laneOf(id))?.claim).toBeUndefined()
  })

  it('that dies with its worker again and again ends some day', async () => {
    const id = await stored()
    for (let run = 0; run < 5; run++) {
      await stack.deps.leases.acquire(id, 'validate', { generation: 1, run, alone: true })
      await heldBy(deadProcess(), stack.deps.uploads, id, 'validate')
    }
    expect(await laneOf(id)).toMatchObject({ jointDeaths: 4 })
    expect((await laneOf(id))?.deaths).toBeUndefined()
    await expect(stack.once(validateWork(stack.deps), stack.deps, id, { made: 5 })).rejects.toThrow('the worker died')
    expect((await stack.latest(id)).error).toEqual({ code: 'WORKER_DIED', retryable: false })
  })

  it('is not ended by being told twice to go', async () => {
    const id = await stored()
    const told = { lane: 'validate', id: 'twice', uploadId: id, generation: 1, attemptsMade: 0, stalledCounter: 0 }
    const child = fork(ALONE, [JSON.stringify({ ...told, attempts: 5 })], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ...stack.env, WORKER_LANES: 'validate' },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const hasBegun = async () => (await laneOf(id))?.claim !== undefined || child.exitCode !== null
    await waitFor(hasBegun, { what: 'the process to begin', intervalMs: 5 })
    const telling = setInterval(() => child.kill('SIGTERM'), 1)
    const exit = await ended
    clearInterval(telling)
    expect(exit).toEqual([0, null])
  })
})

describe.each(UNSEEN)('a holder %s', (_, holder) => {
  /** The queue takes the holder for dead, and a worker here is given its job. */
  async function handedOut(): Promise<{ id: string; theirs: LaneLease; promote: () => Promise<void> }> {
    const id = await stored({ queue: true })
    const theirs = await acquired(id)
    await heldBy(holder, stack.deps.uploads, id, 'validate')
    const queue = stack.deps.queues.byLane.validate
    const jobId = uploadJobId('validate', id, 1)
    await stack.deps.redis.jobs.hset(queue.toKey(jobId), 'stc', 1)
    await stack.start()
    const isBack = async () => (await queue.getJobState(jobId)) === 'delayed'
    await waitFor(isBack, { what: 'the job to stand back' })
    return { id, theirs, promote: async () => await (await queue.getJob(jobId))?.promote() }
  }

  it('that lives has time to let go: nobody counts as dead', async () => {
    const { id, theirs, promote } = await handedOut()
    expect(await laneOf(id)).toMatchObject({ attempts: 1, claim: { token: theirs.token } })
    await stack.deps.leases.release(theirs)
    await promote()
    await stack.until(id, ({ state }) => state === 'rejected')
    expect(await mostDeaths(id)).toBe(0)
  })

  it('that does not let go is waited for once, and counts', async () => {
    const { id, promote } = await handedOut()
    await promote()
    await stack.until(id, ({ state }) => state === 'rejected')
    expect(await mostDeaths(id)).toBe(1)
  })
})
