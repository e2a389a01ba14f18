// A file's way through the lanes, with real ffmpeg, qpdf, poppler and Redis.

import { stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import type { LocalObjectStore } from '../../../src/storage/local.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { truncated } from '../../support/media/hostile.ts'
import { lockedPdf, pdf } from '../../support/media/pdfs.ts'
import { lesson, phoneMov } from '../../support/media/videos.ts'
import { buildHouse, type House } from './house.ts'

let house: House
let corpus: Corpus

beforeAll(async () => {
  corpus = await createCorpus()
  house = await buildHouse()
  await house.start()
})
afterAll(async () => {
  await house.close()
  await corpus.remove()
})

const isReady = ({ state, lanes }: UploadRecord) => state === 'ready' && lanes.inspect?.doneAt !== undefined
const isJudged = ({ lanes }: UploadRecord) => lanes.validate?.doneAt !== undefined
const codes = ({ problems }: UploadRecord) => problems.map(({ code }) => code)

describe('a lesson', () => {
  it('becomes accepted, playable and ready, each once and in this order', async () => {
    await house.submission('a')
    const id = await house.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'a' })
    const record = await house.until(id, isReady)

    expect(record.measured).toMatchObject({
      kind: 'video',
      container: 'mp4',
      videoCodec: 'h264',
    })
    expect(record.measured?.durationSeconds).toBeCloseTo(3, 0)
    expect(record.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(record.checks.filter(({ state }) => state === 'pending')).toEqual([])
    expect(record.renditions.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'video ready',
      'poster ready',
    ])
    expect(record.renditions[0]).toMatchObject({ contentType: 'video/mp4', width: 320, height: 180 })
    for (const { key = '', bytes } of record.renditions)
      expect((await stat((house.deps.store as LocalObjectStore).path(key))).size).toBe(bytes)
    const events = await house.events('a')
    expect(events.map(({ type }) => type)).toEqual([
      'upload.stored',
      'upload.accepted',
      'submission.complete',
      'upload.playable',
      'upload.ready',
    ])
  })
})
