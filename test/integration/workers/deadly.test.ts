// A file that kills every worker that opens it: it is looked at alone, then given up, and never takes others with it.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { type Running, type StartOptions, startProcess } from '../../support/service.ts'

/** Where the file would have its worker killed, it has it do nothing else any more. */
const BLOCKING = { preload: ['test/support/blocking'] }
/** It has it eat all the memory that it may have. */
const HUNGRY = { preload: ['test/support/hungry'], flags: ['--max-old-space-size=300'] }

overBothStores((store) => {
  let corpus: Corpus
  let stack: Environment
  let armory: string

  beforeAll(async () => {
    corpus = await createCorpus()
    stack = await openEnvironment({ store, listens: false, lanes: MEDIA_LANES })
    armory = await mkdtemp(join(tmpdir(), 'songngan-deadly-'))
  })
  afterAll(async () => {
    await stack?.close()
    await corpus?.remove()
    await rm(armory, { recursive: true, force: true })
  })

  let workers = 0
  /**
   * `kills`: the process that begins with a verdict first, be it this one or one that it has started for the job, is killed,
   * as by the file that it has open. Ended with its test: one that is left over would take the jobs of the next.
   */
  async function startWorker(kills: boolean, how: Pick<StartOptions, 'preload' | 'flags'> = {}): Promise<Running> {
    const folder = join(armory, String(++workers))
    await mkdir(folder)
    if (kills) await writeFile(join(folder, 'armed'), `validate.started 1 worker-${workers}`)
    // As a worker is deployed: without the secrets of the service.
    const { TICKET_SECRET: _, API_KEYS: __, ...bare } = stack.env
    const env = { ...bare, OPS_PORT: '0', LOG_LEVEL: 'info', FAULT_POINTS: folder }
    const worker = await startProcess('worker', { ...how, env, entry: 'test/support/quick-worker' })
    onTestFinished(() => worker.kill('SIGKILL'))
    return worker
  }

  /** Two that are killed by the file, one after the other, and the one that is left. */
  async function startThree(how: Pick<StartOptions, 'preload' | 'flags'> = {}) {
    const three = await Promise.all(Array.from({ length: 3 }, () => startWorker(true, how)))
    const ends: Awaited<Running['exited']>[] = []
    for (const one of three) void one.exited.then((exit) => ends.push(exit))
    const left = () => three.filter(({ isRunning }) => isRunning())
    return { ends, left }
  }

  async function stored(submissionId: string): Promise<string> {
    await stack.commitHead(submissionId)
    return await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId })
  }

  describe('a file that kills its worker', () => {
    it('runs alone after two deaths, and ends after the third: said, and never handed out again', async () => {
      const id = await stored('killer')
      const { ends, left } = await startThree()
      const failed = await stack.until(id, ({ state }) => state === 'failed')
      expect(failed.error).toEqual({ code: 'WORKER_DIED', retryable: false })
      expect(failed.lanes.validate).toMatchObject({ generation: 1, final: true })
      expect(ends).toEqual(['SIGKILL', 'SIGKILL'].map((signal) => ({ code: null, signal })))

      // The worker that had it lives, and does others' work.
      const honest = await stored('honest')
      await stack.until(honest, ({ state }) => state === 'accepted' || state === 'ready')
      expect(left()).toHaveLength(1)
      expect(left()[0]?.output()).toContain('running in a separate process')

      const events = (await stack.eventsOf('killer')).filter(({ type }) => type === 'upload.failed')
      expect(events).toHaveLength(1)
      await stack.deps.reconciler.one(id)
      expect(await stack.deps.queues.stateOf('validate', id, 2)).toBe('unknown')
      expect((await stack.latest(id)).lanes.validate).toEqual(failed.lanes.validate)
    })

    // Deaths are counted in Redis: one over each store is enough.
    it.runIf(store === 'local')('one that eats its memory ends the same way, and no other job with it', async () => {
      const id = await stored('hungry')
      const { ends, left } = await startThree(HUNGRY)
      const failed = await stack.until(id, ({ state }) => state === 'failed')
      expect(failed.error).toEqual({ code: 'WORKER_DIED', retryable: false })
      expect(ends).toEqual(['SIGABRT', 'SIGABRT'].map((signal) => ({ code: null, signal })))
      const honest = await stored('modest')
      await stack.until(honest, ({ state }) => state === 'accepted' || state === 'ready')
      expect(left()).toHaveLength(1)
    })

    it.runIf(store === 'local')('and one that only met deaths of others is done alone', async () => {
      const id = await stored('unlucky')
      await Promise.all((await Promise.all([startWorker(true), startWorker(true)])).map(({ exited }) => exited))
      await startWorker(false)
      const record = await stack.until(id, ({ state }) => state === 'accepted' || state === 'ready')
      expect(record.error).toBeNull()
      expect(record.lanes.validate?.deaths).toBeUndefined()
    })
  })

  describe.runIf(store === 'local')('a job that runs alone', () => {
    it.each([
      ['its own is killed', 'orphaned', 0],
      ['the group of its own is killed', 'orphaned-group', 0],
      ['both are killed, as with their container', 'killed-together', 1],
    ])('goes on in another worker where %s: that is no death of its doing', async (_, by, joint) => {
      const id = await stored(by)
      await Promise.all((await Promise.all([startWorker(true), startWorker(true)])).map(({ exited }) => exited))
      const parent = await startWorker(true, { preload: [`test/support/${by}`] })
      expect(await parent.exited).toEqual({ code: null, signal: 'SIGKILL' })
      await startWorker(false)
      const { error } = await stack.until(id, ({ state }) => state !== 'checking' && state !== 'stored')
      expect(error).toBeNull()
      const counts = (await stack.deps.uploads.history(id, 0)).map(({ lanes }) => lanes.validate)
      const most = (of: 'deaths' | 'jointDeaths') => Math.max(...counts.map((count) => count?.[of] ?? 0))
      expect([most('deaths'), most('jointDeaths')]).toEqual([2, joint])
    })
  })

  describe.runIf(store === 'local')('a file on which our own code never comes to an end', () => {
    it('ends each worker that it blocks, so that it is run alone and others’ work goes on', async () => {
      const id = await stored('endless-loop')
      const blocked = await Promise.all([startWorker(true, BLOCKING), startWorker(true, BLOCKING)])
      for (const worker of blocked) {
        expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' })
        expect(worker.output()).toContain('the event loop stood still')
      }
      const worker = await startWorker(false)
      await stack.until(id, ({ state }) => state === 'accepted' || state === 'ready')
      expect(worker.output()).toContain('running in a separate process')
    })
  })

  describe('a run that never ends', () => {
    it('is left at its limit, and counts as a death at once, though its worker lives', async () => {
      const id = await stored('endless')
      const hangs = { ...validateWork(stack.deps), limitMs: 50, work: () => new Promise<void>(() => undefined) }
      const run = (made: number) => stack.once(hangs, stack.deps, id, { made })
      await expect(run(0)).rejects.toThrow('no end')
      await expect(run(1)).rejects.toThrow('no end')
      expect((await stack.latest(id)).lanes.validate).toMatchObject({ deaths: 2, attempts: 2 })
    })
  })
})
