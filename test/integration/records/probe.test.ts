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
      bucket: s3.bucket,
      region: s3.region,
      forcePathStyle: true,
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

  test('accepts a server that supports both', async () => {
    expect(await store.probe()).toEqual([])
  })

  test('refuses a server that ignores If-None-Match', async () => {
    proxy.fault({ act: 'answer', status: 200, when: isPutOf(/probe/) })
    await expect(store.probe()).rejects.toThrow(/ignores If-None-Match/)
  })

  test('refuses a server that stores a body with a wrong checksum', async () => {
    proxy.fault({ act: 'answer', status: 200, when: isPutOf(/-sum/) })
    await expect(store.probe()).rejects.toThrow(/does not check x-amz-checksum-crc32/)
  })

  test('reports a server that does not support If-None-Match', async () => {
    proxy.fault({ act: 'answer', status: 501, when: isPutOf(/probe/) })
    await expect(store.probe()).rejects.toThrow(/does not support If-None-Match \(501/)
  })

  test('refuses a server without checksums', async () => {
    proxy.fault({ act: 'answer', status: 400, when: isPutOf(/-sum/) })
    await expect(store.probe()).rejects.toThrow(/does not accept an object with a correct CRC-32 \(400/)
  })

  test('refuses a server without checksums of parts', async () => {
    proxy.fault({ act: 'answer', status: 400, when: 'UploadPart' })
    await expect(store.probe()).rejects.toThrow(/does not accept a part with a correct CRC-32 \(400/)
  })

  test('refuses a server that stores a part with a wrong checksum', async () => {
    proxy.fault({ act: 'answer', status: 200, when: 'UploadPart' })
    await expect(store.probe()).rejects.toThrow(/does not check x-amz-checksum-crc32 of parts/)
  })

  test.each([
    ['without its sum', '<Part><PartNumber>1</PartNumber><ETag>"1"</ETag><Size>4</Size></Part>'],
    ['not at all', ''],
  ])('refuses a server that lists a part %s', async (_, part) => {
    const body = `<?xml version="1.0"?><ListPartsResult><IsTruncated>false</IsTruncated>${part}</ListPartsResult>`
    proxy.fault({ act: 'answer', status: 200, body, headers: { 'content-type': 'application/xml' }, when: 'ListParts' })
    await expect(store.probe()).rejects.toThrow(/does not list parts with their CRC-32/)
  })

  test('warns of lifecycle rules that apply to our objects', async () => {
    const rule = (id: string, prefix: string, what: string, status = 'Enabled') =>
      `<Rule><ID>${id}</ID><Filter><Prefix>${prefix}</Prefix></Filter><Status>${status}</Status>${what}</Rule>`
    const abort = (days: number) =>
      `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`
    const expire = '<Expiration><Days>30</Days></Expiration>'
    const rules = [
      rule('all', '', abort(7)),
      rule('slow', '', abort(30)),
      rule('off', '', abort(1), 'Disabled'),
      rule('other', 'backup/', abort(1) + expire),
      rule('old', 'uploads/', expire),
    ]
    const body = `<?xml version="1.0"?><LifecycleConfiguration>${rules.join('')}</LifecycleConfiguration>`
    const headers = { 'content-type': 'application/xml' }
    proxy.fault({ act: 'answer', status: 200, body, headers, when: ({ url }) => /[?&]lifecycle/.test(url) })
    const warnings = await store.probe()
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/rule all aborts unfinished uploads after 7 days/)
    expect(warnings[1]).toMatch(/rule old removes files and records of the service/)
  })

  test('does not treat an outage as a result', async () => {
    proxy.fault({ act: 'answer', status: 503, when: isPutOf(/-sum/) })
    await expect(store.probe()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
