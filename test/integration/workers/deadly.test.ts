// A file that kills every worker that opens it: it is looked at alone, then given up, and never takes others with it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { type Child, startChild } from '../../support/children.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'
import { overBothStores } from '../../support/over-both-stores.ts'

const WORKER = join(import.meta.dirname, '../../support/quick-worker.ts')
const HUNGRY = join(import.meta.dirname, 'hungry.ts')

overBothStores((store) => {
  let corpus: Corpus
  let house: Environment
  let armory: string

  beforeAll(async () => {
    corpus = await createCorpus()
    house = await openEnvironment({ store, listens: false, lanes: MEDIA_LANES })
    armory = await mkdtemp(join(tmpdir(), 'songngan-deadly-'))
  })
  afterAll(async () => {
    await house?.close()
    await corpus?.remove()
    await rm(armory, { recursive: true, force: true })
  })

  /** Whoever comes to this step next is killed, as by the file that it has open. */
  const arm = (token: string) => writeFile(join(armory, 'armed'), `validate.started 1 ${token}`)

  /** Ended with its test: one that is left over would take the jobs of the next. */
  async function startWorker(...args: string[]): Promise<Child> {
    const worker = await startChild(process.execPath, ['--import', 'tsx', ...args, WORKER], {
      env: { ...house.env, OPS_PORT: '0', LOG_LEVEL: 'info', FAULT_POINTS: armory },
    })
    onTestFinished(() => void worker.kill('SIGKILL'))
    return worker
  }

  async function stored(submissionId: string): Promise<string> {
    await house.commitHead(submissionId)
    return await house.upload(await lesson(corpus, { seconds: 3 }), { submissionId })
  }

  describe('a file that kills its worker', () => {
    it('runs alone after two deaths, and ends after the third: said, and never handed out again', async () => {
      const id = await stored('killer')
      for (const token of ['first', 'second']) {
        await arm(token)
        const worker = await startWorker()
        await worker.exited
      }
      await arm('third')
      const worker = await startWorker()
      const failed = await house.until(id, ({ state }) => state === 'failed')
      expect(failed.error).toEqual({ code: 'WORKER_DIED', retryable: false })
      expect(failed.lanes.validate).toMatchObject({ generation: 1, final: true })

      // The worker that had it lives, and does others' work.
      const honest = await stored('honest')
      await house.until(honest, ({ state }) => state === 'accepted' || state === 'ready')
      expect(worker.running()).toBe(true)
      expect(worker.output()).toContain('running in a separate process')

      const events = (await house.eventsOf('killer')).filter(({ type }) => type === 'upload.failed')
      expect(events).toHaveLength(1)
      await house.deps.reconciler.one(id)
      expect(await house.deps.queues.stateOf('validate', id, 2)).toBe('unknown')
      expect((await house.latest(id)).lanes.validate).toEqual(failed.lanes.validate)
      worker.kill('SIGTERM')
      await worker.exited
    })

    it('one that eats its memory ends the same way, and no other job with it', async () => {
      const id = await stored('hungry')
      const hungry = () => startWorker('--import', HUNGRY, '--max-old-space-size=300')
      for (const token of ['sixth', 'seventh']) {
        await arm(token)
        const { exited } = await hungry()
        expect(await exited).toEqual({ code: null, signal: 'SIGABRT' })
      }
      await arm('eighth')
      const worker = await hungry()
      const failed = await house.until(id, ({ state }) => state === 'failed')
      expect(failed.error).toEqual({ code: 'WORKER_DIED', retryable: false })
      const honest = await stored('modest')
      await house.until(honest, ({ state }) => state === 'accepted' || state === 'ready')
      expect(worker.running()).toBe(true)
      worker.kill('SIGTERM')
      await worker.exited
    })

    it('and one that only met deaths of others is done alone', async () => {
      const id = await stored('unlucky')
      for (const token of ['fourth', 'fifth']) {
        await arm(token)
        const worker = await startWorker()
        await worker.exited
      }
      const worker = await startWorker()
      const record = await house.until(id, ({ state }) => state === 'accepted' || state === 'ready')
      expect(record.error).toBeNull()
      expect(record.lanes.validate?.deaths).toBeUndefined()
      worker.kill('SIGTERM')
      await worker.exited
    })
  })

  describe('a run that never ends', () => {
    it('is left at its limit, and counts as a death', async () => {
      const id = await stored('endless')
      const hangs = { ...validateWork(house.deps), limitMs: 50, work: () => new Promise<void>(() => undefined) }
      const run = (made: number) => house.once(hangs, house.deps, id, { made })
      await expect(run(0)).rejects.toThrow('no end')
      await expect(run(1)).rejects.toThrow('no end')
      expect((await house.latest(id)).lanes.validate).toMatchObject({ deaths: 1, attempts: 2 })
    })
  })
})
