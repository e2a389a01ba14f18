// A worker whose disk is full takes no job that would fail for it: it says so, and goes on when there is room. The disk is
// a real one, of a size that the test sets.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { type Child, startChild } from '../../support/children.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES } from '../../support/environment-worker.ts'
import { freePort, waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'
import { describeOnSmallDisk } from '../../support/small-disk.ts'

const MIB = 1024 ** 2
/** What a worker leaves to others on the disk. */
const MARGIN_BYTES = 512 * MIB

await describeOnSmallDisk('a disk without room', ({ disk, undo }) => {
  let corpus: Corpus
  let stack: Environment
  let worker: Child
  let opsUrl: string

  beforeAll(async () => {
    corpus = await createCorpus()
    undo.add(() => corpus.remove())
    stack = await openEnvironment({ listens: false, lanes: MEDIA_LANES, env: { DATA_DIR: disk().dir } })
    undo.add(() => stack.close())
    const port = await freePort()
    opsUrl = `http://127.0.0.1:${port}`
    worker = await startChild(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, '../../support/quick-worker.ts')],
      {
        env: { ...stack.env, OPS_PORT: String(port), LOG_LEVEL: 'info' },
      },
    )
    undo.add(() => worker.stop())
  })

  const ready = async () => {
    const answer = await fetch(`${opsUrl}/health/ready`).catch(() => undefined)
    return { status: answer?.status, reason: ((await answer?.json()) as { reason?: string } | undefined)?.reason }
  }
  const isReady = () => waitFor(async () => (await ready()).status === 200, { what: 'the worker to be ready' })
  const stored = async (submissionId: string) => {
    await stack.commitHead(submissionId)
    return await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId })
  }
  /** Jobs that nobody has begun with. */
  const waiting = (lane: 'validate' | 'transcode') =>
    stack.deps.queues.byLane[lane].getJobCountByTypes('prioritized', 'waiting', 'delayed')

  it('with little, verdicts go on and copies wait; then they are made, and no attempt was lost', async () => {
    await isReady()
    await disk().setFree(MARGIN_BYTES / 2)
    await waitFor(async () => (await ready()).status === 503, { what: 'the worker to see it' })
    expect((await ready()).reason).toBe('no room for scratch files: inspect, transcode take no jobs')
    const id = await stored('little')
    await stack.until(id, ({ state }) => state === 'accepted')
    await waitFor(async () => (await waiting('transcode')) === 1, { what: 'the copy to be asked for' })
    await disk().setFree(null)
    const record = await stack.until(id, ({ state }) => state === 'ready')
    expect(record.error).toBeNull()
    expect(record.lanes.transcode?.attempts).toBe(1)
    await isReady()
  })

  it('with none, nothing is taken; a verdict is late, and never a failure', async () => {
    await disk().setFree(16 * MIB)
    await waitFor(async () => (await ready()).reason?.includes('validate') === true, { what: 'the worker to see it' })
    const id = await stored('none')
    await waitFor(async () => (await waiting('validate')) === 1, { what: 'the verdict to be asked for' })
    await disk().setFree(null)
    const record = await stack.until(id, ({ state }) => state === 'ready')
    expect(record.error).toBeNull()
    await isReady()
  })

  it('a job that finds too little for itself is given back, and costs no attempt', async () => {
    // Large enough for the job, were it not for what others keep there.
    await disk().setFree(MARGIN_BYTES + 100 * MIB)
    await writeFile(join(disk().dir, 'others'), Buffer.alloc(99 * MIB))
    const id = await stored('too-little')
    await stack.until(id, ({ state }) => state === 'accepted')
    await waitFor(() => Promise.resolve(worker.output().includes('given back: no room for it now')), {
      what: 'the job to be given back',
    })
    await waitFor(async () => (await waiting('transcode')) === 1, { what: 'the copy to wait again' })
    expect((await ready()).status).toBe(200)
    await rm(join(disk().dir, 'others'))
    const record = await stack.until(id, ({ state }) => state === 'ready')
    expect(record.error).toBeNull()
    expect(record.lanes).toMatchObject({ inspect: { attempts: 1 }, transcode: { attempts: 1 } })
    await disk().setFree(null)
  })
})
