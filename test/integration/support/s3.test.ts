import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'

const { S3_TEST_ENDPOINT } = process.env

function clientFor(s3: TestS3): S3Client {
  return new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    credentials: s3.credentials,
    forcePathStyle: true,
    systemClockOffset: s3.skewMs,
  })
}

describe.skipIf(!s3Available())('a private S3 server', () => {
  test('of concurrent creations with If-None-Match exactly one wins', async ({ onTestFinished }) => {
    const s3 = await startS3()
    onTestFinished(() => s3.stop())
    const client = clientFor(s3)
    onTestFinished(() => client.destroy())
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) =>
        client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: 'a/b', Body: String(n), IfNoneMatch: '*' })),
      ),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  // somebody else's server cannot be killed
  test.skipIf(S3_TEST_ENDPOINT)('killed and started again, it has what it had', async ({ onTestFinished }) => {
    const s3 = await startS3()
    onTestFinished(() => s3.stop())
    const client = clientFor(s3)
    onTestFinished(() => client.destroy())
    await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: 'kept', Body: 'yes' }))
    await s3.kill()
    await expect(client.send(new GetObjectCommand({ Bucket: s3.bucket, Key: 'kept' }))).rejects.toThrow()
    await s3.restart()
    const object = await client.send(new GetObjectCommand({ Bucket: s3.bucket, Key: 'kept' }))
    expect(await object.Body?.transformToString()).toBe('yes')
  })

  test('a signed request passes the fault proxy, and the SDK outlives a 503 and a lost answer', async ({
    onTestFinished,
  }) => {
    const s3 = await startS3()
    onTestFinished(() => s3.stop())
    const proxy = await startHttpProxy(s3.endpoint)
    onTestFinished(() => proxy.stop())
    const client = clientFor({ ...s3, endpoint: proxy.url })
    onTestFinished(() => client.destroy())
    proxy.fault({ when: 'PutObject', times: 1, act: 'answer', status: 503 })
    proxy.fault({ when: 'PutObject', times: 1, act: 'dropResponse' })
    await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: 'a b/ก', Body: 'x'.repeat(3_000_000) }))
    expect(proxy.counts()).toEqual({ PutObject: 3 })
    expect(proxy.calls.map(({ status }) => status)).toEqual([503, 0, 200])
  })
})
