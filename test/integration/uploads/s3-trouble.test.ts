// S3 in trouble: answers that are late, lost or 503. The file is right in the end, and what was acknowledged stays.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { type Fault, type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'
import { idOf } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
const PART = 8 * MIB

describe.skipIf(!s3Available())('S3', () => {
  let s3: TestS3
  let proxy: HttpProxy
  let stack: Environment

  beforeAll(async () => {
    s3 = await startS3()
    proxy = await startHttpProxy(s3.endpoint)
    stack = await openEnvironment({ store: 's3', s3, s3Endpoint: proxy.url })
  })
  afterEach(() => proxy.reset())
  afterAll(async () => {
    await stack.close()
    await proxy.stop()
    await s3.stop()
  })

  const begun = async (bytes: Buffer) => {
    const user = await stack.user('film')
    return { user, url: await user.create({ length: bytes.length, name: 'a.mp4' }) }
  }

  /** Sends what is missing, as a client that retries would, and compares what is stored in the end. */
  const finish = async ({ user, url }: Awaited<ReturnType<typeof begun>>, bytes: Buffer) => {
    await waitFor(
      async () => {
        const offset = await user.offset(url)
        if (offset === bytes.length) return true
        const { status } = await user.patch(url, offset, bytes.subarray(offset))
        if (status !== 204) expect(status).toBe(423)
        return false
      },
      { what: 'the upload to be whole' },
    )
    await waitFor(async () => {
      await stack.deps.reconciler.one(idOf(url))
      return (await stack.deps.store.head((await stack.record(url)).object.key))?.bytes === bytes.length
    })
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    const { lanes } = await stack.record(url)
    expect(lanes.validate).toMatchObject({ generation: 1 })
    const jobs = await stack.deps.queues.byLane.validate.getJobs()
    expect(jobs.filter(({ id }) => id?.includes(idOf(url))).map(({ id }) => id)).toEqual([`validate-${idOf(url)}-g1`])
  }

  const once = (fault: Fault) => proxy.fault({ ...fault, times: 1 })

  const lost: [string, number, Fault][] = [
    ['the answer to a part', 18 * MIB, { when: 'UploadPart', act: 'dropResponse' }],
    ['a part in the middle', 18 * MIB, { when: 'UploadPart', act: 'cutRequest', afterBytes: 3 * MIB }],
    ['one part refused', 18 * MIB, { when: 'UploadPart', act: 'answer', status: 503 }],
    // 400 of a server to which less came than was sent, as AWS says it.
    ...['RequestTimeout', 'IncompleteBody', 'BadDigest'].map((code): [string, number, Fault] => [
      `${code} for a part`,
      18 * MIB,
      {
        when: 'UploadPart',
        act: 'answer',
        status: 400,
        body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>too little</Message></Error>`,
      },
    ]),
    ['the answer to CreateMultipartUpload', 18 * MIB, { when: 'CreateMultipartUpload', act: 'dropResponse' }],
    ['the answer to Complete', 18 * MIB, { when: 'CompleteMultipartUpload', act: 'dropResponse' }],
    ['Complete refused', 18 * MIB, { when: 'CompleteMultipartUpload', act: 'answer', status: 503 }],
    ['the answer to a small file', MIB, { when: 'PutObject', act: 'dropResponse' }],
    ['a small file in the middle', MIB, { when: 'PutObject', act: 'cutRequest', afterBytes: 100_000 }],
    ['the answer to the first record', 18 * MIB, { when: ({ url }) => /record-000001/.test(url), act: 'dropResponse' }],
    [
      'the answer to the record that says stored',
      18 * MIB,
      { when: ({ url }) => /record-000002/.test(url), act: 'dropResponse' },
    ],
  ]
  test.each(lost)('%s is lost: the file is right, and its validate job is queued once', async (_, length, fault) => {
    const bytes = filmBytes(length, 'lost')
    const upload = await begun(bytes)
    once(fault)
    await finish(upload, bytes)
  })

  const noSuchUpload: Fault = {
    when: 'CompleteMultipartUpload',
    act: 'answer',
    status: 404,
    headers: { 'content-type': 'application/xml' },
    body: '<?xml version="1.0"?><Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>',
  }

  test('NoSuchUpload, but the object exists: an earlier Complete succeeded', async () => {
    const bytes = filmBytes(18 * MIB, 'done')
    const upload = await begun(bytes)
    once({ when: 'CompleteMultipartUpload', act: 'dropResponse' })
    proxy.fault(noSuchUpload)
    await finish(upload, bytes)
  })

  test('NoSuchUpload without the object is no success', async () => {
    const bytes = filmBytes(18 * MIB, 'not done')
    const upload = await begun(bytes)
    const stays = proxy.fault(noSuchUpload)
    expect((await upload.user.patch(upload.url, 0, bytes)).status).toBe(204)
    await waitFor(() => proxy.calls.some(({ operation }) => operation === 'HeadObject'))
    await expect(stack.deps.completion.run(idOf(upload.url))).rejects.toThrow()
    const jobs = await stack.deps.queues.byLane.validate.getJobs()
    expect(jobs.filter(({ id }) => id?.includes(idOf(upload.url)))).toEqual([])
    stays()
    await finish(upload, bytes)
  })

  test('slow responses only take longer', async () => {
    const bytes = filmBytes(18 * MIB, 'slow')
    const upload = await begun(bytes)
    proxy.fault({ act: 'delayResponse', ms: 150 })
    expect((await upload.user.patch(upload.url, 0, bytes)).status).toBe(204)
    proxy.reset()
    await finish(upload, bytes)
  })

  test('a tail that cannot be deleted does not stop completion', async () => {
    const bytes = filmBytes(10 * MIB, 'tail')
    const upload = await begun(bytes)
    expect((await upload.user.patch(upload.url, 0, bytes.subarray(0, 9 * MIB))).status).toBe(204)
    proxy.fault({ when: 'DeleteObject', act: 'answer', status: 503 })
    await finish(upload, bytes)
  })

  // Regression: what a failing sink had not taken over yet was never given back, until nobody could send any more.
  test('failed writes release their memory', async () => {
    const { budget } = stack.deps
    await waitFor(() => budget.used === 0)
    const bytes = filmBytes(26 * MIB, 'budget')
    for (let round = 0; round < 3; round++) {
      const { user, url } = await begun(bytes)
      // 403 is our own misconfiguration: not worth a second attempt.
      proxy.fault({ when: 'UploadPart', act: 'answer', status: 403 })
      const { status } = await user.patch(url, 0, bytes)
      expect(status).toBe(423)
      proxy.reset()
    }
    await waitFor(() => budget.used === 0, { what: 'all memory to be given back' })
  })

  test('no upload is created while the store is unavailable: POST 503 before any byte is sent', async () => {
    const user = await stack.user('film')
    proxy.fault({ act: 'answer', status: 503 })
    // Known within a second: the store is not asked for every creation.
    let refused = await user.post({ length: 20 * MIB, name: 'a.mp4' })
    await waitFor(
      async () => {
        if (refused.status === 201) refused = await user.post({ length: 20 * MIB, name: 'a.mp4' })
        return refused.status !== 201
      },
      { what: 'creations to be refused' },
    )
    expectProblem(refused, 503, 'STORE_UNAVAILABLE')
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
  })

  test('a long outage: HEAD is answered, PATCH is held and then 423, no acknowledged byte is lost', async () => {
    const bytes = filmBytes(18 * MIB, 'away')
    const upload = await begun(bytes)
    const { user, url } = upload
    expect((await user.patch(url, 0, bytes.subarray(0, 9 * MIB))).status).toBe(204)
    const away = proxy.fault({ act: 'answer', status: 503 })
    const startedAtMs = performance.now()
    const held = user.patch(url, 9 * MIB, bytes.subarray(9 * MIB))
    expect(await user.offset(url)).toBe(9 * MIB)
    const { status, problem } = await held
    expect({ status, code: problem?.code }).toEqual({ status: 423, code: 'STORE_UNAVAILABLE' })
    const heldMs = performance.now() - startedAtMs
    // Long enough for a brown-out to pass, short enough for a client to look elsewhere.
    expect(heldMs).toBeGreaterThan(5000)
    expect(heldMs).toBeLessThan(60_000)
    expect(await user.offset(url)).toBe(9 * MIB)
    away()
    await finish(upload, bytes)
  })

  describe('S3 calls of an uninterrupted upload', () => {
    const counted = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
      proxy.reset()
      await work()
      return proxy.counts()
    }

    test('a file smaller than a part: one PutObject', async () => {
      const bytes = filmBytes(4 * MIB, 'one')
      const { user, url } = await begun(bytes)
      const counts = await counted(() => user.patch(url, 0, bytes))
      expect(counts).toEqual({ PutObject: 1 })
    })

    test('a larger file: its parts, Create, Complete and two records; HEAD: none', async () => {
      const bytes = filmBytes(3 * PART - MIB, 'parts')
      const { user, url } = await begun(bytes)
      const counts = await counted(async () => {
        await user.patch(url, 0, bytes)
        await stack.storedSha256(url)
        await user.head(url)
      })
      const { UploadPart, CreateMultipartUpload, CompleteMultipartUpload, PutObject } = counts
      expect({ UploadPart, CreateMultipartUpload, CompleteMultipartUpload, PutObject }).toEqual({
        UploadPart: 3,
        CreateMultipartUpload: 1,
        CompleteMultipartUpload: 1,
        PutObject: 2,
      })
      expect(await counted(() => user.head(url))).toEqual({})
    })
  })
})
