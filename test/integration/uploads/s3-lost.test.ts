// A bucket's lifecycle rule, or somebody with a console, has aborted a multipart upload under us: its bytes are gone. The
// client is told to begin anew instead of being asked to try again for ever.

import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { redisKeys } from '../../../src/records/keys.ts'
import { createS3Client } from '../../../src/storage/s3-client.ts'
import { filmBytes } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { s3Available } from '../../support/s3.ts'
import { idOf } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
const PART = 8 * MIB

describe.skipIf(!s3Available())('S3', () => {
  test('an upload whose multipart upload was aborted from outside ends: 410, an event, an error log line', async () => {
    const stack = await openEnvironment({ store: 's3' })
    onTestFinished(() => stack.close())
    const bytes = filmBytes(2 * PART + MIB, 'lost')
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes.subarray(0, PART))).status).toBe(204)
    await abort(stack, url)
    expectProblem(await user.patch(url, PART, bytes.subarray(PART)), 410, 'UPLOAD_EXPIRED')
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, PART, bytes.subarray(PART)), 410, 'UPLOAD_EXPIRED')
    expect(await stack.record(url)).toMatchObject({ state: 'expired' })
    expect(await eventsOf(stack, url)).toContain('upload.expired')
    expect(errorLineOf(stack, url)).toMatchObject({
      receivedBytes: PART,
      msg: expect.stringContaining('lifecycle rule'),
    })
  })

  // Regression: HEAD said 200 for ever, and the verdict failed every quarter of an hour.
  test('aborted after its last byte: it ends after its parts have been missing for 15 minutes, not before', async () => {
    let ahead = 0
    const stack = await openEnvironment({ store: 's3', clock: { now: () => Date.now() + ahead } })
    onTestFinished(() => stack.close())
    const bytes = filmBytes(PART + MIB, 'lost at the end')
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const assemble = vi.spyOn(stack.deps.store, 'assemble').mockRejectedValue(new Error('a process that died'))
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    await waitFor(() => assemble.mock.calls.length > 0)
    await abort(stack, url)
    assemble.mockRestore()
    // Its parts are not to be found either while somebody is joining them.
    const record = await stack.record(url)
    await expect(stack.deps.completion.assemble(record)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await stack.record(url)).toMatchObject({ state: 'stored' })
    expect((await user.head(url)).status).toBe(200)
    ahead = 16 * 60_000
    await expect(stack.deps.reconciler.one(idOf(url))).rejects.toMatchObject({ code: 'UPLOAD_EXPIRED' })
    expect(await stack.record(url)).toMatchObject({
      state: 'expired',
      storedAt: record.storedAt,
      error: { code: 'BYTES_LOST', retryable: false },
    })
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, bytes.length, Buffer.alloc(0)), 410, 'UPLOAD_EXPIRED')
    expect(await eventsOf(stack, url)).toContain('upload.expired')
    expect(errorLineOf(stack, url)).toMatchObject({
      receivedBytes: bytes.length,
      msg: expect.stringContaining('lifecycle rule'),
    })
    // Nothing is due on it any more.
    await stack.deps.reconciler.one(idOf(url))
  })
})

/** As a bucket's lifecycle rule does it. */
async function abort(stack: Environment, url: string): Promise<void> {
  const { object } = await stack.record(url)
  const { endpoint, bucket, region } = stack.s3 ?? { endpoint: '', bucket: '', region: '' }
  const client = createS3Client({ bucket, endpoint, region, forcePathStyle: true })
  onTestFinished(() => client.destroy())
  await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: object.key, UploadId: object.multipartId }))
}

async function eventsOf(stack: Environment, url: string): Promise<string> {
  const events = await stack.deps.redis.hot.xrange(redisKeys.events('portal'), '-', '+')
  const ours = events.flatMap(([, fields]) => fields).filter((field) => field.includes(idOf(url)))
  return ours.join()
}

const errorLineOf = (stack: Environment, url: string): unknown =>
  stack.lines
    .map((text) => JSON.parse(text) as { uploadId?: string; level?: string })
    .find(({ uploadId, level }) => uploadId === idOf(url) && level === 'error')
