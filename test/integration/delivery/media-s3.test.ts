import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { newUploadId } from '../../../src/core/ids.ts'
import { mediaRoute } from '../../../src/delivery/media-route.ts'
import { signMediaToken } from '../../../src/delivery/media-token.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { S3ObjectStore } from '../../../src/storage/s3.ts'
import { appWithProblems, listen } from '../../support/app.ts'
import { SECRETS } from '../../support/drafts.ts'
import { PATIENCE_MS } from '../../support/http.ts'
import { NO_REVOCATIONS } from '../../support/revocations.ts'
import { s3Available, startS3, storeOver, type TestS3 } from '../../support/s3.ts'

// Two sockets: a stream that were left open would soon leave none for the next.
const SOCKETS = 2

describe.skipIf(!s3Available())('media in a bucket', () => {
  let s3: TestS3
  let store: S3ObjectStore
  let url: string
  const app = appWithProblems()

  beforeAll(async () => {
    s3 = await startS3()
    store = storeOver(s3, s3.endpoint, SOCKETS)
    await app.register(mediaRoute, {
      store,
      secrets: SECRETS,
      clock: systemClock,
      revocations: NO_REVOCATIONS,
      // Nothing is removed here but by hand: no record tells why.
      uploads: { latest: () => Promise.resolve(undefined) },
    })
    url = await listen(app)
  })
  afterAll(async () => {
    await app.close()
    await store.close()
    await s3.stop()
  })

  async function put(bytes: Buffer): Promise<string> {
    const uploadId = newUploadId('portal', 'S-1', SECRETS)
    const key = objectKeys.data(uploadId)
    await store.createIfAbsent(key, bytes)
    const token = signMediaToken(
      {
        uploadId,
        key,
        name: 'original',
        bytes: bytes.length,
        contentType: 'video/mp4',
        fileName: 'x.mp4',
        download: false,
        session: null,
        expiresAtSeconds: Math.floor(Date.now() / 1000) + 600,
      },
      SECRETS,
    )
    return `${url}/media/${token}/x.mp4`
  }

  it('is served whole and in ranges', async () => {
    const bytes = randomBytes(300_000)
    const link = await put(bytes)
    const whole = await fetch(link)
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
    const tail = await fetch(link, { headers: { range: 'bytes=-1000' } })
    expect(tail.status).toBe(206)
    expect(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-1000))).toBe(true)
    const head = await fetch(link, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '300000'])
  })

  it('releases its connection when a viewer disconnects', async () => {
    const link = await put(randomBytes(32 * 1024 * 1024))
    for (let viewer = 0; viewer < 3 * SOCKETS; viewer++) {
      const outgoing = request(link, { agent: false })
      outgoing.on('error', () => undefined) // gone on purpose
      outgoing.end()
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
      await once(response, 'data')
      outgoing.destroy()
    }
    expect(
      (await fetch(link, { headers: { range: 'bytes=0-9' }, signal: AbortSignal.timeout(PATIENCE_MS) })).status,
    ).toBe(206)
  })

  it('is 404 if it is deleted, and 503 if the bucket is unavailable', async () => {
    const link = await put(Buffer.from('short'))
    await store.removeAll('uploads/')
    expect((await fetch(link)).status).toBe(404)
    expect((await fetch(link, { method: 'HEAD' })).status).toBe(404)
    await s3.kill()
    const away = await fetch(link)
    expect(away.status).toBe(503)
    expect(await away.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
