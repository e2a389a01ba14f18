// A lease is taken over from the dead, and a death is counted only where a worker may have died.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { processIdentity } from '../../../src/core/process-alive.ts'
import { uploadJobId } from '../../../src/jobs/contract.ts'
import { LANE_LEASE_MS, LaneHeld, type LaneLease } from '../../../src/lifecycle/lane-leases.ts'
import { laneRenewed } from '../../../src/lifecycle/transitions.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'

/** Nobody sees a process of another machine. What a former version stored says nothing of its process. */
const UNSEEN: [string, string | undefined][] = [
  ['on another machine', 'another-boot pid:[1] 1 1'],
  ['of a former version', undefined],
]

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
const acquire = (id: string, run: number) => stack.deps.leases.acquire(id, 'validate', { generation: 1, run })

async function acquired(id: string): Promise<LaneLease> {
  const lease = await acquire(id, 0)
  if (lease === undefined) throw new Error('nothing was due')
  return lease
}

/** The lease is another's now, who goes on with it. */
async function heldBy(holder: string | undefined, id: string): Promise<void> {
  await stack.deps.uploads.commit(id, (current) => {
    const { claim } = current?.lanes.validate ?? {}
    if (current === undefined || claim === undefined) return undefined
    const { process: _, ...rest } = claim
    return laneRenewed(current, 'validate', holder === undefined ? rest : { ...rest, process: holder })
  })
}

describe('a holder that is seen to live', () => {
  it('keeps its lease where the queue has lost the lock of its job, and nobody counts as dead', async () => {
    const id = await stored()
    const mine = await acquired(id)
    await expect(acquire(id, 1)).rejects.toBeInstanceOf(LaneHeld)
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
    const [boot, namespace, pid] = processIdentity().split(' ')
    await heldBy(`${boot} ${namespace} ${pid} 1`, id)
    expect(await acquire(id, 0)).toBeDefined()
    expect(await laneOf(id)).toMatchObject({ attempts: 2, deaths: 1 })
  })
})

describe.each(UNSEEN)('a holder %s', (_, holder) => {
  /** The queue takes the holder for dead, and a worker here is given its job. */
  async function handedOut(): Promise<{ id: string; theirs: LaneLease; promote: () => Promise<void> }> {
    const id = await stored({ queue: true })
    const theirs = await acquired(id)
    await heldBy(holder, id)
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
