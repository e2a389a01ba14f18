// Workers that die, are asked to stop, or lose their lease during ffmpeg: no orphan, no lost attempt, one outcome.

import { join } from 'node:path'
import { Job } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isProcessAlive } from '../../../src/core/process-alive.ts'
import { uploadJobId } from '../../../src/jobs/contract.ts'
import { acceptanceWithdrawn, acceptedAfterAll } from '../../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { transcodeWork } from '../../../workers/lanes/transcode.ts'
import { type Child, startChild } from '../../support/children.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES, QUICK } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { ELSEWHERE, heldBy } from '../../support/lease-holders.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'
import { testProfile } from '../../support/profiles.ts'
import { descendantsOf, type Process } from './descendants.ts'

const WORKER = join(import.meta.dirname, '../../support/quick-worker.ts')

let corpus: Corpus
let stack: Environment
let submissions = 0

beforeAll(async () => {
  corpus = await createCorpus()
  // Larger than the rendition may be, so that it has to be encoded.
  stack = await openEnvironment({
    listens: false,
    lanes: MEDIA_LANES,
    profiles: [
      testProfile(({ mediaDefaults }) => {
        const video = mediaDefaults?.video?.renditions?.[0]
        if (video !== undefined) video.maxShortSidePixels = 144
      }),
    ],
  })
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

/** An accepted upload whose renditions are due; nobody works yet. */
async function accepted(): Promise<{ id: string; submissionId: string }> {
  const submissionId = `loss-${++submissions}`
  await stack.commitHead(submissionId)
  const id = await stack.upload(await lesson(corpus, { seconds: 6, framesPerSecond: 30 }), { submissionId })
  return { id, submissionId }
}

/** The ffmpeg that encodes below a process, held in the middle of it: a quick machine would be done too soon. */
async function heldEncoder(pid: number, giveUp = () => false): Promise<Process> {
  const encoding = async () => {
    const found = await descendantsOf(pid)
    const ffmpeg = found.findLast(({ command }) => command.startsWith('/usr/bin/ffmpeg') && command.includes('libx264'))
    if (ffmpeg !== undefined) process.kill(ffmpeg.pid, 'SIGSTOP')
    return ffmpeg ?? giveUp()
  }
  const held = await waitFor(encoding, { intervalMs: 5, what: 'an encode to begin' })
  if (held === true) throw new Error('the worker ended')
  return held
}

/** A worker process that is in the middle of encoding. */
async function workerAtWork(): Promise<{ child: Child; all: Process[] }> {
  const child = await startChild(process.execPath, ['--import', 'tsx', WORKER], {
    env: { ...stack.env, OPS_PORT: '0', LOG_LEVEL: 'info' },
  })
  await heldEncoder(child.pid, () => !child.running()).catch((error: Error) => {
    throw new Error(`${error.message}\n${child.output()}`)
  })
  return { child, all: await descendantsOf(child.pid) }
}

const noneOf = (processes: readonly Process[]) => !processes.some(({ pid }) => isProcessAlive(pid))

describe('a worker that is killed in the middle of ffmpeg', () => {
  it('leaves no orphan; another worker finishes, and the event is published once', async () => {
    const { id, submissionId } = await accepted()
    const { child, all } = await workerAtWork()
    child.kill('SIGKILL')
    await child.exited
    await waitFor(() => noneOf(all), { what: 'every process of the worker to be gone' })

    const { close } = await stack.start(QUICK)
    const record = await stack.until(id, ({ state }) => state === 'ready')
    await close(0)
    expect(record.renditions.map(({ state }) => state)).toEqual(['ready', 'ready'])
    expect(record.lanes.transcode?.attempts).toBe(2)
    const events = (await stack.eventsOf(submissionId)).map(({ type }) => type)
    expect(events.filter((type) => type === 'upload.ready')).toHaveLength(1)
    expect(events.filter((type) => type === 'upload.playable')).toHaveLength(1)
    expect(await outputsOf(id)).toEqual(record.renditions.map(({ key }) => key).toSorted())
  })
})

describe('a worker that is asked to stop', () => {
  it('releases its job without using an attempt, and ends with its tools', async () => {
    const { id, submissionId } = await accepted()
    const { child, all } = await workerAtWork()
    const progress = async () => (await stack.deps.views.one(id))?.progress ?? null
    expect(await progress()).toMatchObject({ step: 'transcode', queuePosition: null })
    child.kill('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(await noneOf(all)).toBe(true)
    expect(await progress()).toBeNull()
    const job = await Job.fromId(stack.deps.queues.byLane.transcode, uploadJobId('transcode', id, 1))
    expect(await job?.getState()).toBe('delayed')
    expect(job).toMatchObject({ attemptsMade: 0, attemptsStarted: 1 })

    const { close } = await stack.start(QUICK)
    await stack.until(id, ({ state }) => state === 'ready')
    await close(0)
    const events = (await stack.eventsOf(submissionId)).map(({ type }) => type)
    expect(events.filter((type) => type === 'upload.ready' || type === 'upload.failed')).toEqual(['upload.ready'])
  })
})

describe('a job whose lock is lost', () => {
  it('is stopped with its tools, and run again: BullMQ itself would let both run', async () => {
    const { id, submissionId } = await accepted()
    const { close } = await stack.start(QUICK)
    const ffmpeg = await heldEncoder(process.pid)
    const queue = stack.deps.queues.byLane.transcode
    await stack.deps.redis.jobs.set(`${queue.toKey(uploadJobId('transcode', id, 1))}:lock`, 'somebody else')
    await waitFor(() => !isProcessAlive(ffmpeg.pid), {
      what: 'ffmpeg to be gone',
    })
    await stack.deps.redis.jobs.del(`${queue.toKey(uploadJobId('transcode', id, 1))}:lock`)

    const record = await stack.until(id, ({ state }) => state === 'ready')
    await close(0)
    expect(record.lanes.transcode?.attempts).toBe(2)
    const versions = await stack.deps.uploads.history(id, 0)
    expect(versions.some(({ lanes }) => lanes.transcode?.deaths !== undefined)).toBe(false)
    const events = (await stack.eventsOf(submissionId)).map(({ type }) => type)
    expect(events.filter((type) => type === 'upload.ready')).toHaveLength(1)
  })
})

describe('a run whose lease was taken over', () => {
  it('drops its output: neither object nor record has it', async () => {
    const { id } = await accepted()
    const { close } = await stack.start(QUICK)
    await stack.until(id, ({ state }) => state === 'ready')
    await close(0)
    const before = await outputsOf(id)
    await stack.deps.uploads.commit(id, (current) => {
      if (current === undefined) return undefined
      const renditions = current.renditions.map((rendition) => ({ ...rendition, state: 'waiting' as const }))
      const rejected = acceptanceWithdrawn(current, current, current.sequence)
      return acceptedAfterAll(rejected, current, { renditions, isRead: true, sequence: current.sequence })
    })
    // The other run takes the lease when this one has its first output, but has not committed it.
    const { publish } = stack.deps.store
    const store = Object.assign(Object.create(stack.deps.store), {
      async publish(...args: Parameters<typeof publish>) {
        await stack.deps.store.publish(...args)
        expect(await outputsOf(id)).toHaveLength(before.length + 1)
        await heldBy(ELSEWHERE, stack.deps.uploads, id, 'transcode')
        const waitedFor = (await stack.latest(id)).lanes.transcode?.claim?.token
        const theirs = await stack.deps.leases.acquire(id, 'transcode', { generation: 2, run: 1, waitedFor })
        expect(theirs).toBeDefined()
      },
    }) as typeof stack.deps.store
    const deps = { ...stack.deps, store }
    expect(await stack.once(transcodeWork(deps), deps, id, { generation: 2 })).toBe('dropped')
    expect(await outputsOf(id)).toEqual(before)
    const record = await stack.latest(id)
    expect(record.state).toBe('accepted')
    expect(record.renditions.map(({ state }) => state)).toEqual(['running', 'waiting'])
  })
})

async function outputsOf(id: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of stack.deps.store.list(`${objectKeys.upload(id)}out/`)) keys.push(key)
  return keys.toSorted()
}
