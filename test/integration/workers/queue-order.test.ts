// Whose turn it is: what is shown of a waiting upload is its place among all, not how many there are.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type UploadJob, uploadJobId } from '../../../src/jobs/contract.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'

let corpus: Corpus
let stack: Environment
beforeAll(async () => {
  corpus = await createCorpus()
  stack = await openEnvironment({ listens: false, lanes: MEDIA_LANES })
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

it('the next upload has position 1, although many wait behind it', async () => {
  const { transcode } = stack.deps.queues.byLane
  for (let i = 0; i < 300; i++)
    await transcode.add(
      'transcode',
      { uploadId: `other-${i}`, generation: 1 },
      { jobId: uploadJobId('transcode', `other-${i}`, 1), priority: 2_000_000 },
    )
  await stack.commitHead('near', { deadline: new Date(Date.now() + 60_000).toISOString() })
  const id = await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'near', queue: false })
  await stack.once(validateWork(stack.deps), stack.deps, id)
  const [view] = await stack.deps.views.ofSubmission('portal', 'near')
  expect(view?.progress).toMatchObject({ step: 'transcode', queuePosition: 1 })
})

/** Uploads that wait for their verdict, in the order of their turns. */
async function waitingForVerdicts(): Promise<string[]> {
  const jobs = await stack.deps.queues.byLane.validate.getJobs(['prioritized'], 0, -1, true)
  return jobs.map((job) => (job.data as UploadJob).uploadId)
}

it('no person’s second verdict comes before another’s first, also over several submissions', async () => {
  const film = await lesson(corpus, { seconds: 3 })
  const send = async (submissionId: string, subject: string | null) => {
    await stack.commitHead(submissionId)
    return await stack.upload(film, { submissionId, subject })
  }
  const greedy = [await send('g-1', 'greedy'), await send('g-1', 'greedy'), await send('g-2', 'greedy')]
  const other = await send('o-1', 'other')
  const nameless = [await send('n-1', null), await send('n-1', null)]
  const elsewhere = await send('n-2', null)
  const turns = await waitingForVerdicts()
  expect(turns.slice(0, 4)).toEqual([greedy[0], other, nameless[0], elsewhere])
  expect(turns.slice(4)).toEqual([greedy[1], nameless[1], greedy[2]])

  // Whose files are done comes forward with the next ones.
  for (const id of [greedy[0], greedy[1], greedy[2]]) await stack.once(validateWork(stack.deps), stack.deps, id ?? '')
  const next = await send('g-2', 'greedy')
  expect((await waitingForVerdicts()).indexOf(next)).toBeLessThan(
    (await waitingForVerdicts()).indexOf(nameless[1] ?? ''),
  )
})
