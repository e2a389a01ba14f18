// The same lanes over a bucket: parts become one object, tools get copies, or as much of them as they need, outputs go back.

import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { newUploadId } from '../../../src/core/ids.ts'
import { receivingRecord } from '../../../src/lifecycle/transitions.ts'
import { objectKeys, uploadIdOfKey } from '../../../src/records/keys.ts'
import type { StoredPart, UploadRecord } from '../../../src/records/upload-record.ts'
import { S3ObjectStore } from '../../../src/storage/s3.ts'
import { S3Parts } from '../../../src/uploads/stores/s3-parts.ts'
import { createMaintain } from '../../../workers/lanes/maintain.ts'
import { sweepMultiparts } from '../../../workers/lanes/multiparts.ts'
import { draftFor } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES, QUICK } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { pdf } from '../../support/media/pdfs.ts'
import { lesson, streamed } from '../../support/media/videos.ts'
import { s3Available } from '../../support/s3.ts'

const isReady = ({ state, lanes }: UploadRecord) => state === 'ready' && lanes.inspect?.doneAt !== undefined
const MIN_PART_BYTES = 5 * 1024 ** 2

describe.skipIf(!s3Available())('over a bucket', () => {
  let stack: Environment
  let corpus: Corpus
  let store: S3ObjectStore

  beforeAll(async () => {
    corpus = await createCorpus()
    stack = await openEnvironment({ listens: false, lanes: MEDIA_LANES, store: 's3' })
    if (!(stack.deps.store instanceof S3ObjectStore)) throw new Error('not a bucket')
    store = stack.deps.store
    // Only listens: the tools are real.
    vi.spyOn(stack.deps.runner, 'run')
    await stack.start(QUICK)
  })
  afterAll(async () => {
    await stack?.close()
    await corpus?.remove()
  })

  it('a lesson and a PDF become ready, and nothing stays on the worker’s disk', async () => {
    await stack.commitHead('a')
    const ids = [
      await stack.upload(await lesson(corpus, { seconds: 3 }), { submissionId: 'a' }),
      await stack.upload(await pdf(corpus, 'a.pdf'), { submissionId: 'a', slot: 'plan' }),
    ]
    for (const id of ids) {
      const record = await stack.until(id, isReady)
      expect(record.sha256).toMatch(/^[0-9a-f]{64}$/)
      for (const { key = '', bytes } of record.renditions) expect((await store.head(key))?.bytes).toBe(bytes)
    }
    expect(await readdir(join(stack.dataDir, 'scratch'))).toEqual([])
    const runs = vi.mocked(stack.deps.runner.run).mock.calls.map(([run]) => run)
    expect(runs.map(({ tool }) => tool)).toEqual(expect.arrayContaining(['ffprobe', 'ffmpeg', 'qpdf', 'pdftoppm']))
    // A command line is read by everybody on the machine, and an address would be good for hours.
    for (const { args, reads = [] } of runs) {
      expect(args.join(' ')).not.toMatch(/:\/\/|Signature/)
      for (const path of reads) expect(path).toContain(join(stack.dataDir, 'scratch'))
    }
  })

  it('a container without an index is measured in a copy', async () => {
    await stack.commitHead('b')
    const id = await stack.upload(await streamed(corpus, 'matroska'), { submissionId: 'b' })
    expect((await stack.until(id, isReady)).measured?.durationSeconds).toBeCloseTo(3, 0)
  })

  it('parts of an upload whose process died are joined first; then the tail is deleted and the verdict given', async () => {
    await stack.commitHead('c')
    const path = await lesson(corpus, { seconds: 3 })
    const file = await open(path)
    const media = await file.readFile().finally(() => file.close())
    // Bytes behind the last box are harmless in an MP4: a `free` box as long as the rest.
    const padding = Buffer.alloc(2 * MIN_PART_BYTES)
    padding.writeUInt32BE(padding.length, 0)
    padding.write('free', 4, 'latin1')
    const bytes = Buffer.concat([media, padding])

    const id = newUploadId('portal', 'c', stack.deps.config.secrets.uploadId)
    const key = objectKeys.data(id)
    const tailKey = objectKeys.tail(id, 2 * MIN_PART_BYTES, 'token')
    const { parts, multipartId } = await sendParts(key, bytes)
    const tail = bytes.subarray(2 * MIN_PART_BYTES)
    await store.createIfAbsent(tailKey, tail)
    // A holder that lost the upload has stored one more.
    const lostKey = objectKeys.tail(id, MIN_PART_BYTES, 'lost')
    await store.createIfAbsent(lostKey, tail)
    parts.push({ number: 3, offset: 2 * MIN_PART_BYTES, bytes: tail.length, key: tailKey })
    await stack.deps.completion.commitStored(
      draftFor('c', {
        id,
        slot: 'clip',
        maxBytes: 1e9,
        declared: { filename: 'a.mp4', type: null, bytes: bytes.length },
      }),
      { key, multipartId, partBytes: MIN_PART_BYTES, parts },
      bytes.length,
      Date.now(),
    )
    // Whoever stored the last byte died before it could queue anything.
    await stack.deps.hot.setDue(id, 0)
    await stack.deps.reconciler.tick()

    const record = await stack.until(id, isReady)
    expect(record.object).toEqual({ key })
    expect((await store.head(key))?.bytes).toBe(bytes.length)
    expect(await store.head(tailKey)).toBeUndefined()
    expect(await store.head(lostKey)).toBeUndefined()
  })

  it('orphaned multipart uploads are aborted; those of unfinished files stay', async () => {
    await stack.commitHead('d')
    const ready = await stack.upload(await pdf(corpus, 'a.pdf'), { submissionId: 'd', slot: 'plan' })
    await stack.until(ready, isReady)
    const [unfinished, forgotten] = [1, 2].map(() => newUploadId('portal', 'd', stack.deps.config.secrets.uploadId))
    if (unfinished === undefined || forgotten === undefined) throw new Error('two ids were asked for')
    const draft = draftFor('d', { id: unfinished, slot: 'clip', maxBytes: 1e9 })
    await stack.deps.uploads.commit(unfinished, () => receivingRecord(draft, { key: objectKeys.data(unfinished) }, 1))
    const { client, bucket } = store
    const begin = async (key: string) =>
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }))
    for (const id of [ready, unfinished, forgotten]) await begin(objectKeys.data(id))
    await begin(objectKeys.rendition(ready, 'token', 'video.mp4'))
    const begun = async () => {
      const ids: (string | undefined)[] = []
      for await (const { key } of store.listMultipartUploads(objectKeys.uploads)) ids.push(uploadIdOfKey(key))
      return ids.toSorted()
    }
    expect(await begun()).toHaveLength(4)
    // The bucket dates what it keeps by its own clock.
    const at = (aheadMs: number) => ({
      ...stack.deps,
      clock: { now: () => Date.now() + (stack.s3?.skewMs ?? 0) + aheadMs },
    })
    await createMaintain(at(0))({ data: { task: 'sweep' } } as Parameters<ReturnType<typeof createMaintain>>[0])
    expect(await begun()).toEqual([unfinished, forgotten].toSorted())
    expect(await sweepMultiparts(at(stack.deps.config.uploads.expiryMs + 1000))).toBe(1)
    expect(await begun()).toEqual([unfinished])
    expect((await stack.latest(ready)).state).toBe('ready')
  })

  /** The first two parts, as the service sends them. */
  async function sendParts(key: string, bytes: Buffer) {
    const { s3 } = stack
    if (s3 === undefined) throw new Error('no S3 server')
    const { endpoint, bucket, region } = s3
    const sending = new S3Parts({ endpoint, bucket, region, forcePathStyle: true }, MIN_PART_BYTES, 1)
    const multipartId = await sending.start(key)
    const parts: StoredPart[] = []
    for (const number of [1, 2]) {
      const offset = (number - 1) * MIN_PART_BYTES
      const body = bytes.subarray(offset, offset + MIN_PART_BYTES)
      const sent = await sending.send(key, multipartId, number, [body], body.length)
      parts.push({ number, offset, bytes: body.length, ...sent })
    }
    await sending.destroy()
    return { parts, multipartId }
  }
})
