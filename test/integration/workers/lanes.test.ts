// A file's way through the lanes, with real ffmpeg, qpdf, poppler and Redis.

import { readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readMp4Index } from '../../../src/media/mp4/index.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { localPath, MEDIA_LANES, QUICK } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { noise, truncated, zeroBytes } from '../../support/media/hostile.ts'
import { scaleClaims } from '../../support/media/mp4-bytes.ts'
import { lockedPdf, pdf } from '../../support/media/pdfs.ts'
import { lesson, phoneMov, streamed } from '../../support/media/videos.ts'

let stack: Environment
let corpus: Corpus

beforeAll(async () => {
  corpus = await createCorpus()
  stack = await openEnvironment({ listens: false, lanes: MEDIA_LANES })
  await stack.start(QUICK)
})
afterAll(async () => {
  await stack?.close()
  await corpus?.remove()
})

const isReady = ({ state, lanes }: UploadRecord) => state === 'ready' && lanes.inspect?.doneAt !== undefined
const isJudged = ({ lanes }: UploadRecord) => lanes.validate?.doneAt !== undefined
const codes = ({ problems }: UploadRecord) => problems.map(({ code }) => code)
const shown = ({ renditions }: UploadRecord) => renditions.map(({ name, state }) => `${name} ${state}`)
const types = async (submissionId: string) => (await stack.eventsOf(submissionId)).map(({ type }) => type)

/** 21 seconds of samples, of which headers and edit lists tell three: more than an honest trim hides. */
async function shortByItsHeaders(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { seconds: 21, framesPerSecond: 5 })
  return await corpus.file('short-by-its-headers.mp4', async (path) =>
    writeFile(path, scaleClaims(await readFile(source), 1 / 7)),
  )
}

describe('a lesson', () => {
  it('becomes accepted, playable and ready, each once and in this order', async () => {
    await stack.commitHead('a')
    const id = await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'a' })
    const record = await stack.until(id, isReady)

    expect(record.measured).toMatchObject({ kind: 'video', container: 'mp4', videoCodec: 'h264' })
    expect(record.measured?.durationSeconds).toBeCloseTo(3, 0)
    expect(record.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(record.problems).toEqual([])
    expect(record.checks.filter(({ state }) => state !== 'passed')).toEqual([])
    expect(shown(record)).toEqual(['video ready', 'poster ready'])
    expect(record.renditions[0]).toMatchObject({ contentType: 'video/mp4', width: 320, height: 180 })
    for (const { key, bytes } of record.renditions) expect((await stat(localPath(stack, key))).size).toBe(bytes)
    await expect
      .poll(() => types('a'))
      .toEqual(['upload.stored', 'upload.accepted', 'submission.complete', 'upload.playable', 'upload.ready'])
    const sequences = (await stack.eventsOf('a')).map(({ data }) => data.sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(new Set(sequences).size).toBe(sequences.length)
  })

  it('has no GPS position in its renditions', async () => {
    await stack.commitHead('gps')
    const id = await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'gps' })
    const { renditions } = await stack.until(id, isReady)
    const bytes = await (await fileSource(localPath(stack, renditions[0]?.key))).readAt(0, 1_000_000)
    expect(bytes.includes('+18.5745')).toBe(false)
  })

  it('from a phone is accepted with a warning, and its MP4 rendition is playable', async () => {
    await stack.commitHead('mov')
    const id = await stack.upload(await phoneMov(corpus), { submissionId: 'mov' })
    const record = await stack.until(id, isReady)
    expect(codes(record)).toContain('CONTAINER_CONVERTED')
    expect(record.renditions.map(({ deliverable }) => deliverable)).toEqual([true, undefined])
    const index = await readMp4Index(await fileSource(localPath(stack, record.renditions[0]?.key)))
    expect(index).toMatchObject({ problem: null, streamable: true })
  })

  it('without a duration in its header is measured by its packets', async () => {
    await stack.commitHead('mkv')
    const id = await stack.upload(await streamed(corpus, 'matroska'), { submissionId: 'mkv' })
    const record = await stack.until(id, isReady)
    expect(record.measured?.headerDurationSeconds).toBeUndefined()
    expect(record.measured?.durationSeconds).toBeCloseTo(3, 0)
    expect(record.renditions[0]?.durationSeconds).toBeCloseTo(3, 0)
  })
})

describe('a PDF', () => {
  it('becomes ready with the picture of its first page', async () => {
    await stack.commitHead('b')
    const id = await stack.upload(await pdf(corpus, 'b.pdf', { pages: 3 }), {
      submissionId: 'b',
      slot: 'plan',
    })
    const record = await stack.until(id, isReady)
    expect(record.measured).toMatchObject({ kind: 'pdf', pages: 3, encrypted: false })
    expect(shown(record)).toEqual(['page ready'])
    const [page] = record.renditions
    expect(page?.contentType).toBe('image/jpeg')
    expect(Math.min(page?.width ?? 0, page?.height ?? 0)).toBe(720)
    await expect.poll(() => types('b')).toEqual(['upload.stored', 'upload.accepted', 'upload.playable', 'upload.ready'])
  })
})

describe('a file that breaks a rule is rejected with the reason', () => {
  const cases: [name: string, slot: string, code: string, file: () => Promise<string>][] = [
    ['no sound', 'clip', 'NO_AUDIO', () => lesson(corpus, { seconds: 3, audio: 'none' })],
    ['too long', 'clip', 'DURATION_EXCEEDED', () => lesson(corpus, { seconds: 10 })],
    ['a forged header hides the length', 'clip', 'DURATION_EXCEEDED', () => shortByItsHeaders(corpus)],
    [
      'cut off',
      'clip',
      'INCOMPLETE_FILE',
      async () => truncated(corpus, await lesson(corpus, { seconds: 3 }), 0.6, 'cut.mp4'),
    ],
    ['locked', 'plan', 'PDF_PASSWORD', () => lockedPdf(corpus, 'user')],
    ['too many pages', 'plan', 'PDF_TOO_MANY_PAGES', () => pdf(corpus, 'long.pdf', { pages: 6 })],
    ['no video at all', 'clip', 'TYPE_MISMATCH', () => noise(corpus)],
    ['a PDF for a film', 'clip', 'TYPE_MISMATCH', () => pdf(corpus, 'film.pdf')],
    ['empty', 'clip', 'UPLOAD_EMPTY', () => zeroBytes(corpus)],
  ]
  it.each(cases)('%s', async (name, slot, code, file) => {
    const submissionId = name.replaceAll(' ', '-')
    await stack.commitHead(submissionId)
    const id = await stack.upload(await file(), { submissionId, slot })
    const record = await stack.until(id, isJudged)
    expect(record.state).toBe('rejected')
    expect(codes(record)).toContain(code)
    expect(record.problems.find((problem) => problem.code === code)?.message.th).not.toBe('')
    expect(record.renditions).toEqual([])
    await expect.poll(() => types(submissionId)).toEqual(['upload.stored', 'upload.rejected'])
  })

  it('and orphans of requests that died are deleted', async () => {
    await stack.commitHead('beside')
    const place = { submissionId: 'beside', slot: 'clip', queue: false }
    const id = await stack.upload(await noise(corpus), place)
    const stray = objectKeys.tail(id, 0, 'overtaken')
    await stack.deps.store.createIfAbsent(stray, Buffer.from('some bytes'))
    await stack.deps.completion.run(id)
    const { object } = await stack.until(id, isJudged)
    await expect.poll(() => stack.deps.store.head(stray)).toBeUndefined()
    expect(await stack.deps.store.head(object.key)).toBeDefined()
  })
})

describe('a file that replaces another', () => {
  it('publishes superseded for the replaced one, only when it is accepted', async () => {
    await stack.commitHead('c')
    const first = await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'c' })
    await stack.until(first, isJudged)
    const bad = await stack.upload(await noise(corpus), { submissionId: 'c', replaces: first })
    await stack.until(bad, isJudged)
    expect(await types('c')).not.toContain('upload.superseded')

    const second = await stack.upload(await lesson(corpus, { seconds: 2 }), {
      submissionId: 'c',
      replaces: first,
    })
    await stack.until(second, isReady)
    const superseded = (await stack.eventsOf('c')).filter(({ type }) => type === 'upload.superseded')
    expect(superseded.map(({ data }) => data.uploadId)).toEqual([first])
    await expect
      .poll(async () => (await types('c')).filter((type) => type.startsWith('submission.')))
      .toEqual(['submission.complete'])
  })
})

describe('checks that need the complete file', () => {
  it('rejects a black picture, and the submission is no longer complete', async () => {
    await stack.commitHead('d')
    const id = await stack.upload(await lesson(corpus, { seconds: 4, picture: 'black' }), {
      submissionId: 'd',
    })
    const record = await stack.until(id, ({ state }) => state === 'rejected')
    expect(codes(record)).toContain('BLACK_VIDEO_ENTIRE')
    await expect
      .poll(async () => (await types('d')).filter((type) => type.startsWith('submission.')))
      .toEqual(['submission.complete', 'submission.incomplete'])
  })

  it('warns of silence', async () => {
    await stack.commitHead('e')
    const id = await stack.upload(await lesson(corpus, { seconds: 4, audio: 'silence' }), {
      submissionId: 'e',
    })
    const record = await stack.until(id, isReady)
    expect(codes(record)).toEqual(['SILENT_AUDIO'])
    expect(record.checks).toContainEqual({ name: 'silence', state: 'warned' })
  })

  it('rejects the second of two equal files, whichever is read first', async () => {
    await stack.commitHead('f')
    const file = await pdf(corpus, 'twice.pdf', { pages: 2 })
    const ids = [
      await stack.upload(file, { submissionId: 'f', slot: 'outcome' }),
      await stack.upload(file, { submissionId: 'f', slot: 'outcome' }),
    ]
    const [first = '', second = ''] = ids
    const copy = await stack.until(second, ({ state }) => state === 'rejected')
    expect(codes(copy)).toEqual(['DUPLICATE_IN_SUBMISSION'])
    expect((await stack.until(first, isReady)).problems).toEqual([])
  })
})

describe('an upload that belongs to no submission', () => {
  it('is accepted when it can be read, without any rules', async () => {
    const id = await stack.upload(await lesson(corpus, { seconds: 10, audio: 'none' }), {
      submissionId: null,
      slot: null,
    })
    const record = await stack.until(id, isReady)
    expect(record.problems).toEqual([])
    expect(shown(record)).toEqual(['video ready', 'poster ready'])
  })

  it('is accepted if its type is unknown', async () => {
    const id = await stack.upload(await noise(corpus), { submissionId: null, slot: null })
    const record = await stack.until(id, ({ lanes }) => lanes.inspect?.doneAt !== undefined)
    expect(['accepted', 'ready']).toContain(record.state)
    expect(record.sha256).toMatch(/^[0-9a-f]{64}$/)
  })
})
