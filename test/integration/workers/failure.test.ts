// Our own faults: tried again, then said and kept, and never held against the uploader. And a worker that dies between
// its commit and what belongs to it.

import { rename } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cancelled } from '../../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { transcodeWork } from '../../../workers/lanes/transcode.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import type { ToolRun } from '../../../workers/media/run.ts'
import { ToolError } from '../../../workers/media/tool-error.ts'
import type { WorkerContext } from '../../../workers/worker-context.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { localPath, MEDIA_LANES, QUICK } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'

let corpus: Corpus
let stack: Environment
let aheadMs = 0
let submissions = 0

beforeAll(async () => {
  corpus = await createCorpus()
  stack = await openEnvironment({ listens: false, lanes: MEDIA_LANES, clock: { now: () => Date.now() + aheadMs } })
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

async function stored(): Promise<{ id: string; submissionId: string }> {
  const submissionId = `failure-${++submissions}`
  await stack.commitHead(submissionId)
  const path = await lesson(corpus, { seconds: 3 })
  return { id: await stack.upload(path, { submissionId, queue: false }), submissionId }
}

async function accepted(): Promise<{ id: string; submissionId: string }> {
  const upload = await stored()
  await stack.once(validateWork(stack.deps), stack.deps, upload.id)
  return upload
}

const eventsOf = async (submissionId: string, type: string) =>
  (await stack.eventsOf(submissionId)).filter((event) => event.type === type)

/** Tools that fail where `when` says so. */
function failing(when: (run: ToolRun) => boolean, error: ToolError): WorkerContext {
  const { runner } = stack.deps
  const run = (job: ToolRun) => (when(job) ? Promise.reject(error) : runner.run(job))
  return { ...stack.deps, runner: { ...runner, run } }
}
const makesMp4 = ({ args }: ToolRun) => args.some((argument) => /\.mp4$/.test(argument) && !/\/store\//.test(argument))
const makesPoster = ({ args }: ToolRun) => args.some((argument) => /poster-\d/.test(argument))

describe('a verdict that cannot be made', () => {
  it('is retried, then failed and kept; after the error is fixed the reconciler starts it again', async () => {
    const { id, submissionId } = await stored()
    const path = localPath(stack, objectKeys.data(id))
    await rename(path, `${path}.away`)
    const work = validateWork(stack.deps)
    await expect(stack.once(work, stack.deps, id, { made: 0 })).rejects.toThrow('no bytes in the store')
    expect(await stack.latest(id)).toMatchObject({ state: 'checking', error: null })
    await expect(stack.once(work, stack.deps, id, { made: 4 })).rejects.toThrow('no bytes in the store')
    const failed = await stack.latest(id)
    expect(failed).toMatchObject({
      state: 'failed',
      error: { code: 'INTERNAL', retryable: true },
      problems: [],
    })
    expect(await eventsOf(submissionId, 'upload.failed')).toHaveLength(1)

    await rename(`${path}.away`, path)
    aheadMs += 16 * 60_000
    await stack.deps.reconciler.one(id)
    const { close } = await stack.start(QUICK)
    const record = await stack.until(id, ({ state }) => state === 'ready')
    await close(0)
    expect(record).toMatchObject({ error: null, problems: [] })
    expect(await eventsOf(submissionId, 'upload.accepted')).toHaveLength(1)
    expect(await eventsOf(submissionId, 'upload.failed')).toHaveLength(1)
  })
})

describe('renditions that cannot be made', () => {
  it('because of a full disk: the upload stays accepted, and the event is published once', async () => {
    const { id, submissionId } = await accepted()
    const deps = failing(makesMp4, new ToolError('OUT_OF_SPACE', 'system', 'no space'))
    const run = (made: number) => stack.once(transcodeWork(deps), deps, id, { made, of: 4 })
    await expect(run(0)).rejects.toThrow('no space')
    expect(await stack.latest(id)).toMatchObject({ state: 'accepted', error: null })
    await expect(run(3)).rejects.toThrow('no space')
    await expect(run(3)).rejects.toThrow('no space')
    expect(await stack.latest(id)).toMatchObject({
      state: 'accepted',
      error: { code: 'OUT_OF_SPACE', retryable: true },
    })
    expect(await eventsOf(submissionId, 'upload.failed')).toHaveLength(1)

    expect(await stack.once(transcodeWork(stack.deps), stack.deps, id)).toBe('done')
    expect(await stack.latest(id)).toMatchObject({ state: 'ready', error: null })
  })

  it('because of the file: not retried; the others are made, and the upload stays accepted', async () => {
    const { id, submissionId } = await accepted()
    const deps = failing(makesMp4, new ToolError('INPUT_UNREADABLE', 'input', 'broken'))
    expect(await stack.once(transcodeWork(deps), deps, id)).toBe('done')
    const record = await stack.latest(id)
    expect(record).toMatchObject({ state: 'accepted', error: { code: 'RENDITION_FAILED', retryable: false } })
    expect(record.renditions).toMatchObject([
      { name: 'video', state: 'failed', reason: 'INPUT_UNREADABLE' },
      { name: 'poster', state: 'ready' },
    ])
    expect(await eventsOf(submissionId, 'upload.ready')).toHaveLength(0)
  })

  it('but are only optional: the upload becomes ready without them', async () => {
    const { id, submissionId } = await accepted()
    const deps = failing(makesPoster, new ToolError('INPUT_UNREADABLE', 'input', 'broken'))
    expect(await stack.once(transcodeWork(deps), deps, id)).toBe('done')
    const record = await stack.latest(id)
    expect(record.state).toBe('ready')
    expect(record.renditions.map(({ state }) => state)).toEqual(['ready', 'failed'])
    expect(await eventsOf(submissionId, 'upload.ready')).toHaveLength(1)
  })

  it('keep what is ready when the lane runs again', async () => {
    const { id } = await accepted()
    const deps = failing(makesPoster, new ToolError('OUT_OF_SPACE', 'system', 'no space'))
    await expect(stack.once(transcodeWork(deps), deps, id)).rejects.toThrow('no space')
    const [video] = (await stack.latest(id)).renditions
    expect(video?.state).toBe('ready')
    const again = failing(makesMp4, new ToolError('TOOL_FAILED', 'system', 'made once more'))
    expect(await stack.once(transcodeWork(again), again, id)).toBe('done')
    expect((await stack.latest(id)).renditions[0]?.key).toBe(video?.key)
  })

  it('as a remux are encoded, if the remux was unusable', async () => {
    const { id } = await accepted()
    const copies = ({ args }: ToolRun) => args.includes('copy') && args.some((argument) => argument.endsWith('.mp4'))
    const deps = failing(copies, new ToolError('OUTPUT_INVALID', 'system', 'time stamps'))
    expect(await stack.once(transcodeWork(deps), deps, id)).toBe('done')
    expect((await stack.latest(id)).state).toBe('ready')
  })
})

describe('an output that our own check refuses', () => {
  /** Refuses what ffmpeg makes where `when` says so, and keeps the runs that made it. */
  function refusing(when: (run: ToolRun) => boolean) {
    const runs: ToolRun[] = []
    const { runner } = stack.deps
    const run = async (job: ToolRun) => {
      if (!job.args.includes('+faststart')) return await runner.run(job)
      runs.push(job)
      if (when(job)) throw new ToolError('OUTPUT_INVALID', 'system', 'the rendition is unusable')
      return await runner.run(job)
    }
    return { runs, deps: { ...stack.deps, runner: { ...runner, run } } }
  }
  const hasSound = ({ args }: ToolRun) => args.some((argument) => argument.startsWith('-c:a'))

  it('is retried with each other method once, then no more: the upload stays accepted', async () => {
    const { id, submissionId } = await accepted()
    const { runs, deps } = refusing(() => true)
    const before = (await deps.metrics.jobsAbandoned.get()).values.length
    expect(await stack.once(transcodeWork(deps), deps, id)).toBe('done')
    expect(runs.map(({ args }) => [args.includes('libx264'), hasSound({ args } as ToolRun)])).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ])
    const record = await stack.latest(id)
    expect(record).toMatchObject({ state: 'accepted', error: { code: 'RENDITION_FAILED', retryable: false } })
    expect(record.renditions[0]).toMatchObject({ state: 'failed', reason: 'OUTPUT_INVALID' })
    expect(await eventsOf(submissionId, 'upload.failed')).toHaveLength(1)
    expect(await stack.deps.queues.stateOf('transcode', id, 2)).toBe('unknown')
    expect((await deps.metrics.jobsAbandoned.get()).values.length).toBe(before + 1)
  })

  it('because of its sound is made without sound, with a note', async () => {
    const { id } = await accepted()
    const { deps } = refusing(hasSound)
    expect(await stack.once(transcodeWork(deps), deps, id)).toBe('done')
    const record = await stack.latest(id)
    expect(record.state).toBe('ready')
    expect(record.renditions[0]).toMatchObject({ state: 'ready', reason: 'SOUND_LEFT_OUT' })
  })
})

describe('an upload that is cancelled while a worker processes it', () => {
  it('stays cancelled: the result does not count', async () => {
    const { id, submissionId } = await accepted()
    const cancel = (record: UploadRecord | undefined) =>
      record?.state === 'accepted' ? cancelled(record, record.sequence + 1) : undefined
    const { runner } = stack.deps
    const run = async (job: ToolRun) => {
      if (makesMp4(job)) await stack.deps.uploads.commit(id, cancel)
      return await runner.run(job)
    }
    const deps = { ...stack.deps, runner: { ...runner, run } }
    expect(await stack.once(transcodeWork(deps), deps, id)).toBe('dropped')
    expect((await stack.latest(id)).state).toBe('cancelled')
    expect(await eventsOf(submissionId, 'upload.playable')).toHaveLength(0)
  })
})

describe('a worker that dies between the verdict and the next steps', () => {
  it('loses nothing: the job’s next run queues the lanes and publishes the submission’s event', async () => {
    const { id, submissionId } = await stored()
    const work = validateWork(stack.deps)
    const killed = { ...work, after: () => Promise.reject(new Error('killed')) }
    await expect(stack.once(killed, stack.deps, id)).rejects.toThrow('killed')
    expect((await stack.latest(id)).state).toBe('accepted')
    expect(await eventsOf(submissionId, 'submission.complete')).toHaveLength(0)
    expect(await stack.deps.queues.stateOf('transcode', id, 1)).toBe('unknown')

    expect(await stack.once(work, stack.deps, id, { made: 1 })).toBe('nothing')
    expect(await eventsOf(submissionId, 'upload.accepted')).toHaveLength(1)
    expect(await eventsOf(submissionId, 'submission.complete')).toHaveLength(1)
    expect(await stack.deps.queues.stateOf('transcode', id, 1)).toBe('prioritized')
  })
})
