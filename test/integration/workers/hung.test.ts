// Tools that hang: a stand-in sleeps where ffmpeg or ffprobe ought to work. BullMQ by itself would renew the job's lock for
// as long as it hangs; the watchdog and the deadline of the runner end it, and the job is run again.

import { Job } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uploadJobId } from '../../../src/jobs/contract.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import type { ToolRun } from '../../../workers/media/run.ts'
import { startWorkers } from '../../../workers/registry.ts'
import type { WorkerContext } from '../../../workers/worker-context.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { QUICK } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { processesWith } from '../../support/media/processes.ts'
import { lesson } from '../../support/media/videos.ts'

let corpus: Corpus
let stack: Environment
let submissions = 0

beforeAll(async () => {
  corpus = await createCorpus()
  stack = await openEnvironment({ listens: false, lanes: 'transcode' })
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

async function stored(): Promise<string> {
  const submissionId = `hung-${++submissions}`
  await stack.commitHead(submissionId)
  return await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId, queue: false })
}

/** Sleeps in place of the first run that `when` names, with so short a patience; all others are real. */
function sleepingOnce(when: (run: ToolRun) => boolean, impatient: (run: ToolRun) => Partial<ToolRun>) {
  const { runner } = stack.deps
  // Something unique for a command line, which `sleep` takes as a number of seconds.
  const token = `61.${Math.floor(Math.random() * 1e9)}`
  const replaced: ToolRun[] = []
  const run = (job: ToolRun) => {
    if (replaced.length > 0 || !when(job)) return runner.run(job)
    replaced.push(job)
    return runner.run({ ...job, ...impatient(job), tool: 'sh', args: ['-c', `exec sleep ${token}`] })
  }
  const deps: WorkerContext = { ...stack.deps, runner: { ...runner, run } }
  const left = () => processesWith(token)
  return { deps, replaced, left }
}

const makesMp4 = ({ args }: ToolRun) => args.includes('+faststart')

describe('an ffmpeg that hangs', () => {
  it('is ended by the watchdog with its child processes, and its job is run again', async () => {
    const id = await stored()
    const { deps, replaced, left } = sleepingOnce(makesMp4, () => ({ idleMs: 400 }))
    await stack.once(validateWork(stack.deps), stack.deps, id)
    const { close } = await startWorkers(deps, QUICK)
    const queue = stack.deps.queues.byLane.transcode
    const job = async () => await Job.fromId(queue, uploadJobId('transcode', id, 1))
    await waitFor(async () => (await job())?.isDelayed(), {
      what: 'the job to be put back',
    })
    expect(await job()).toMatchObject({ attemptsMade: 1 })
    expect((await job())?.failedReason).toContain('stopped (idle)')
    expect(await left()).toEqual([])
    // The lane itself watches: the stand-in only made it less patient.
    expect(replaced[0]?.idleMs).toBeGreaterThan(60_000)
    expect(await stack.latest(id)).toMatchObject({ state: 'accepted', error: null })

    await (await job())?.promote()
    const record = await stack.until(id, ({ state }) => state === 'ready')
    await close(0)
    expect(record.lanes.transcode?.attempts).toBe(2)
    expect(record.renditions.map(({ state }) => state)).toEqual(['ready', 'ready'])
  })
})

describe('an ffprobe that hangs', () => {
  it('is ended at its time limit, counts as a system error, and is run again', async () => {
    const id = await stored()
    const { deps, replaced, left } = sleepingOnce(
      ({ tool }) => tool === 'ffprobe',
      ({ limits }) => ({ limits: { ...limits, wallMs: 400 } }),
    )
    const work = validateWork(deps)
    await expect(stack.once(work, deps, id)).rejects.toThrow('stopped (wall)')
    expect(await left()).toEqual([])
    expect(replaced[0]?.limits.wallMs).toBeLessThanOrEqual(60_000)
    expect(await stack.latest(id)).toMatchObject({ state: 'checking', error: null, problems: [] })
    expect(await stack.once(work, deps, id, { made: 1 })).toBe('done')
    expect((await stack.latest(id)).state).toBe('accepted')
  })
})
