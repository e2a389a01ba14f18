// Short work does not wait for films: a place of its own takes it from the same queue, and leaves long work where it is.

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { uploadJobId } from '../../../src/jobs/contract.ts'
import { type ShortWork, startShortWork } from '../../../workers/lanes/short-work.ts'
import { createTranscode } from '../../../workers/lanes/transcode.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'

let corpus: Corpus
let house: Environment
let running: ShortWork | undefined
beforeAll(async () => {
  corpus = await createCorpus()
  house = await openEnvironment({ listens: false, lanes: MEDIA_LANES })
})
afterEach(async () => running?.stop())
afterAll(async () => {
  await house?.close()
  await corpus?.remove()
})

it('a clip is ready while a film before it waits, and the film stays where it was', async () => {
  const { transcode } = house.deps.queues.byLane
  const film = uploadJobId('transcode', 'a-film', 1)
  await transcode.add('transcode', { uploadId: 'a-film', generation: 1, seconds: 900 }, { jobId: film, priority: 1 })
  await house.commitHead('quick')
  const id = await house.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'quick', queue: false })
  await house.once(validateWork(house.deps), house.deps, id)
  expect((await transcode.getJobs(['prioritized'], 0, -1, true)).map((job) => job.id)).toEqual([
    film,
    uploadJobId('transcode', id, 1),
  ])
  running = startShortWork({
    queue: transcode,
    process: createTranscode(house.deps),
    isOpen: async () => true,
    logger: house.deps.logger,
  })
  await waitFor(async () => (await house.latest(id)).state === 'ready', { timeoutMs: 120_000 })
  await waitFor(async () => (await transcode.getJobs(['prioritized'], 0, -1, true)).length === 1, { timeoutMs: 60_000 })
  expect(await transcode.getJobState(film)).toBe('prioritized')
})
