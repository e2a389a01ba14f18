// What a service asks of an S3 server before it begins: one that can't be relied upon is refused at start-up.

import type { S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { S3ObjectStore } from '../../../src/storage/s3.ts'
import { createS3Client } from '../../../src/storage/s3-client.ts'
import { type Call, type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'

describe.skipIf(!s3Available())('the probe of an S3 server', () => {
  let s3: TestS3
  let proxy: HttpProxy
  let client: S3Client
  let store: S3ObjectStore

  beforeAll(async () => {
    s3 = await startS3()
    for (const [name, value] of Object.entries(s3.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value)
    proxy = await startHttpProxy(s3.endpoint)
    client = createS3Client({
      ...{ bucket: s3.bucket, region: s3.region, forcePathStyle: true },
      endpoint: proxy.url,
    })
    store = new S3ObjectStore(client, s3.bucket)
  })
  afterEach(() => proxy.reset())
  afterAll(async () => {
    client.destroy()
    await proxy.stop()
    await s3.stop()
    vi.unstubAllEnvs()
  })

  const isPutOf = (what: RegExp) => (call: Call) => call.operation === 'PutObject' && what.test(call.url)

  test('is content with one that keeps to both', async () => {
    await store.probe()
  })

  test('refuses one that overwrites what must not exist', async () => {
    proxy.fault({ act: 'answer', status: 200, when: isPutOf(/probe/) })
    await expect(store.probe()).rejects.toThrow(/does not honour If-None-Match/)
  })

  test('refuses one that stores a body whose sum is wrong', async () => {
    proxy.fault({ act: 'answer', status: 200, when: isPutOf(/-sum/) })
    await expect(store.probe()).rejects.toThrow(/does not check x-amz-checksum-crc32/)
  })

  test('does not take trouble for an answer', async () => {
    proxy.fault({ act: 'answer', status: 503, when: isPutOf(/-sum/) })
    await expect(store.probe()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
