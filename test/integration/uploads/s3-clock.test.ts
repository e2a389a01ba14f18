// A process whose clock is an hour off: S3 refuses what it signs, and says what time it is.

import type { S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createS3Client } from '../../../src/storage/s3-client.ts'
import { S3Sender } from '../../../src/storage/s3-sender.ts'
import { type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'

const HOUR_MS = 3_600_000
const BODY = Buffer.from('some bytes')
const PART = Buffer.alloc(8 * 1024 ** 2, 'x')

describe.skipIf(!s3Available()).each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('an hour %s', (_, shiftMs) => {
  let s3: TestS3
  let proxy: HttpProxy
  let client: S3Client
  beforeAll(async () => {
    s3 = await startS3()
    proxy = await startHttpProxy(s3.endpoint)
    for (const [name, value] of Object.entries(s3.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value)
  })
  // In another hour from the start on, or set to it on the way.
  const another = () =>
    createS3Client({ endpoint: proxy.url, bucket: s3.bucket, region: s3.region, forcePathStyle: true })
  const setClock = (aheadMs: number) => {
    vi.useRealTimers()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + s3.skewMs + aheadMs })
  }
  afterEach(() => {
    vi.useRealTimers()
    client.destroy()
    proxy.reset()
  })
  afterAll(async () => {
    await proxy.stop()
    await s3.stop()
    vi.unstubAllEnvs()
  })

  test('a request with a body: refused once, then signed with the store’s clock', async () => {
    setClock(0)
    client = another()
    const sender = new S3Sender(client, s3.bucket, 4)
    await sender.put('before', [BODY], BODY.length)
    setClock(shiftMs)
    await sender.put('first', [BODY], BODY.length)
    await sender.put('second', [BODY], BODY.length)
    setClock(0)
    // Set right again: the difference that was learned is wrong now.
    await sender.put('third', [BODY], BODY.length)
    await sender.destroy()
    expect(proxy.calls.map(({ status }) => status)).toEqual([200, 403, 200, 200, 403, 200])
  })

  // Regression: the store closes the line over what is still to come, and its refusal is never read.
  test('a body so large that the refusal is lost', async () => {
    client = another()
    const sender = new S3Sender(client, s3.bucket, 4)
    setClock(shiftMs)
    await sender.put('first', [PART], PART.length)
    const refusedOnce = proxy.calls.filter(({ operation }) => operation === 'PutObject').length
    await sender.put('second', [PART], PART.length)
    await sender.destroy()
    expect(refusedOnce).toBeLessThanOrEqual(2)
    expect(proxy.calls.filter(({ operation }) => operation === 'PutObject')).toHaveLength(refusedOnce + 1)
  })
})
