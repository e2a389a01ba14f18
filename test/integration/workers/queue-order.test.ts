// Whose turn it is: what is shown of a waiting upload is its place among all, not how many there are.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { uploadJobId } from '../../../src/jobs/contract.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'
import { buildHouse, type House } from './house.ts'

let corpus: Corpus
let house: House
beforeAll(async () => {
  corpus = await createCorpus()
  house = await buildHouse()
})
afterAll(async () => {
  await house?.close()
  await corpus?.remove()
})

it('an upload that comes next says 1, though many wait behind it', async () => {
  const { transcode } = house.deps.queues.byLane
  for (let i = 0; i < 300; i++)
    await transcode.add(
      'transcode',
      { uploadId: `other-${i}`, generation: 1 },
      { jobId: uploadJobId('transcode', `other-${i}`, 1), priority: 2_000_000 },
    )
  await house.submission('near', { deadline: new Date(Date.now() + 60_000).toISOString() })
  const id = await house.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'near', queue: false })
  await house.once(validateWork(house.deps), house.deps, id)
  const [view] = await house.deps.views.ofSubmission('portal', 'near')
  expect(view?.progress).toMatchObject({ step: 'transcode', queuePosition: 1 })
})
