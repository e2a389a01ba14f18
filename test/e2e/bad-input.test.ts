// What users of the API do wrong, as they are told of it: code, status and words in both languages. By whole processes, one
// service and one worker for all of it, and beside a lesson that nothing of it may disturb.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Corpus, createCorpus } from '../support/media/corpus.ts'
import { lesson } from '../support/media/videos.ts'
import { credentialTests } from './support/bad-input/credentials.ts'
import { refusedTests } from './support/bad-input/refused.ts'
import { unknownTests } from './support/bad-input/unknown.ts'
import { verdictTests } from './support/bad-input/verdicts.ts'
import { type Installation, startInstallation } from './support/installation.ts'
import { type Neighbour, startNeighbour } from './support/neighbour.ts'

let stack: Installation
let corpus: Corpus
let neighbour: Neighbour

beforeAll(async () => {
  corpus = await createCorpus()
  stack = await startInstallation()
  neighbour = await startNeighbour(stack, await lesson(corpus, { seconds: 5 }))
})
afterEach(async () => {
  await neighbour.step()
  for (const { opsUrl, logs } of [stack.service, ...stack.workers]) {
    expect((await fetch(`${opsUrl}/health/ready`)).status).toBe(200)
    // Whatever a caller does wrong is no error of ours.
    expect(logs().filter(({ level }) => ['error', 'fatal'].includes(level))).toEqual([])
  }
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

const stage = {
  get stack() {
    return stack
  },
  get corpus() {
    return corpus
  },
}
credentialTests(stage)
unknownTests(stage)
refusedTests(stage)
verdictTests(stage)

test('the lesson that was on its way beside all this is whole, accepted and ready', async () => {
  await neighbour.finish()
})
