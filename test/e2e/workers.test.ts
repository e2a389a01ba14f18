// Worker processes that die in the middle of an encode, and several that share the work: what a teacher's page hears of it.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { UploadDocument } from '../../src/submissions/document/schemas.ts'
import { descendantsOf } from '../integration/workers/descendants.ts'
import { type Corpus, createCorpus, ffmpeg } from '../support/media/corpus.ts'
import { processesWith } from '../support/media/processes.ts'
import { allGone, holdEncoder, letGo } from './support/encoders.ts'
import { type Installation, startInstallation } from './support/installation.ts'

/** What is told of a file that is good, however often somebody had to begin anew. */
const WHOLE_LIFE = ['upload.stored', 'upload.accepted', 'upload.playable', 'upload.ready']
/** Enough for the encoder to be in the film, and far from its end. */
const UNDER_WAY_BYTES = 100_000

let stack: Installation
let corpus: Corpus

beforeAll(async () => {
  corpus = await createCorpus()
  stack = await startInstallation({ worker: false })
})
afterEach(() => stack.stopWorkers())
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

/** What an old camera's recording becomes in a conversion: nothing in it can be kept as it is. */
function clip(seconds: number, framesPerSecond = 25): Promise<string> {
  return corpus.file(`clip-${seconds}.mkv`, (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=${framesPerSecond}:d=${seconds}`],
      ['-f', 'lavfi', '-i', `sine=d=${seconds}:r=48000`, '-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3', path],
    ),
  )
}

const isReady = ({ state }: UploadDocument) => state === 'ready'
const isAccepted = ({ accepted }: UploadDocument) => accepted
/** A file that comes in one piece is not told of before it is stored; where the machine is slow it comes in several. */
const types = async (id: string) =>
  (await stack.eventsOf(id)).map(({ type }) => type).filter((type) => type !== 'upload.created')

/** Files of renditions that lie in the store, and folders of jobs in the scratch room. */
async function left(id: string): Promise<{ outputs: string[]; scratch: string[] }> {
  const { dataDir } = stack.service
  const stored = await readdir(join(dataDir, 'store'), { recursive: true })
  const outputs = stored.filter((path) => path.includes(`${id}/out/`) && /\.\w+$/.test(path))
  return {
    outputs: outputs.map((path) => path.split('/').at(-1) ?? '').toSorted(),
    scratch: await readdir(join(dataDir, 'scratch')),
  }
}

test('a worker killed in the middle of an encode leaves no ffmpeg; the next one ends the job, and it is told once', async () => {
  const worker = await stack.quickWorker()
  const id = await stack.handIn(await stack.submission(), 'teaching_video', await clip(24))
  await holdEncoder(worker.pid, { bytes: UNDER_WAY_BYTES })
  const all = await descendantsOf(worker.pid)
  expect(await stack.portal.upload(id)).toMatchObject({ state: 'accepted', playable: false })
  worker.kill('SIGKILL')
  expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' })
  await allGone(all)
  expect(await processesWith(stack.service.dataDir)).toEqual([])
  // The verdict stands while nobody works.
  expect(await stack.portal.upload(id)).toMatchObject({ state: 'accepted', accepted: true, error: null })

  await stack.quickWorker()
  const { renditions, problems } = await stack.until(id, isReady)
  expect(renditions).toMatchObject([
    { name: 'video', state: 'ready', deliverable: true, width: 640, height: 360 },
    { name: 'poster', state: 'ready' },
  ])
  expect(renditions[0]?.durationSeconds).toBeCloseTo(24, 0)
  expect(problems.map(({ code }) => code)).toContain('CONTAINER_CONVERTED')
  expect(await types(id)).toEqual(WHOLE_LIFE)
  await stack.stopWorkers()
  expect(await left(id)).toEqual({ outputs: ['poster.jpg', 'video.mp4'], scratch: [] })
})

test('two workers take what there is room for, verdicts wait for none of them, and one takes over from the other', async () => {
  const [a, b] = await Promise.all([stack.quickWorker(), stack.quickWorker()])
  // Too long for the place that is kept for short work. Few frames: the encoder that is held meanwhile counts as hung after two minutes.
  const path = await clip(150, 5)
  const handIn = async () => await stack.handIn(await stack.submission(), 'teaching_video', path)
  const [first, second] = await Promise.all([handIn(), handIn()])
  const [ofA, ofB] = await Promise.all([holdEncoder(a.pid), holdEncoder(b.pid)])

  // All places are taken, and stay so: the third gets its verdict, and is told that it is next.
  const third = await handIn()
  await stack.until(third, isAccepted)
  await stack.until(third, ({ progress }) => progress.queuePosition === 1)
  expect(await stack.portal.upload(third)).toMatchObject({ state: 'accepted', playable: false })

  letGo(ofA)
  await holdEncoder(a.pid, { besides: ofA })
  const done = await Promise.all([first, second].map((id) => stack.portal.upload(id)))
  expect(done.map(({ state }) => state).toSorted()).toEqual(['accepted', 'ready'])

  const all = await descendantsOf(a.pid)
  a.kill('SIGKILL')
  await allGone(all)
  letGo(ofB)
  for (const id of [first, second, third]) {
    await stack.until(id, isReady)
    expect(await types(id)).toEqual(WHOLE_LIFE)
    expect((await left(id)).outputs).toEqual(['poster.jpg', 'video.mp4'])
  }
})
