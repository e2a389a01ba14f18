// A process that dies while it sends something to S3. There are S3 servers that keep the beginning as the whole of it,
// filled up with zeros to the length that was announced; the successor must not find it.

import type { S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { S3ObjectStore } from '../../../src/storage/s3.ts'
import { createS3Client } from '../../../src/storage/s3-client.ts'
import { S3Parts } from '../../../src/uploads/stores/s3-parts.ts'
import { waitFor } from '../../support/http.ts'
import { startTcpProxy, type TcpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'

const PART_BYTES = 8 * 1024 ** 2
const SENT_BYTES = PART_BYTES / 4
const LINE_BYTES_PER_SECOND = 40 * 1024 ** 2
/** The server that is tested with shows a cut-off part within some milliseconds. */
const SETTLED_MS = 1500

const WHOLE = Buffer.alloc(PART_BYTES, 'x')

describe.skipIf(!s3Available())('a body that is cut off', () => {
  let s3: TestS3
  let proxy: TcpProxy
  let client: S3Client
  let store: S3ObjectStore
  let direct: S3Parts
  let dying: S3Parts

  beforeAll(async () => {
    s3 = await startS3()
    for (const [name, value] of Object.entries(s3.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value)
    proxy = await startTcpProxy(s3.endpoint)
  })
  beforeEach(() => {
    const settings = { bucket: s3.bucket, region: s3.region, forcePathStyle: true }
    client = createS3Client({ ...settings, endpoint: s3.endpoint })
    store = new S3ObjectStore(client, s3.bucket)
    direct = new S3Parts({ ...settings, endpoint: s3.endpoint }, PART_BYTES, 4)
    dying = new S3Parts({ ...settings, endpoint: proxy.url }, PART_BYTES, 4)
  })
  afterEach(async () => {
    await direct.destroy()
    await dying.destroy()
    client.destroy()
    proxy.reset()
  })
  afterAll(async () => {
    await proxy.stop()
    await s3.stop()
    vi.unstubAllEnvs()
  })

  /** Lets a quarter of a part through, then hangs up and lets nothing more through. */
  async function dieWhile(sending: Promise<unknown>): Promise<void> {
    const before = proxy.sentBytes()
    // It goes on trying, as a killed process would not; nobody waits for it.
    sending.catch(() => undefined)
    await waitFor(() => proxy.sentBytes() - before >= SENT_BYTES, { what: 'a quarter of it to be sent' })
    proxy.set({ refuse: true })
    proxy.hangUp()
    await waitFor(() => proxy.connections() === 0, { what: 'the server to hang up as well' })
  }

  /** What was seen of something over a while in which it must not appear. */
  async function meanwhile<T>(look: () => Promise<T>): Promise<T[]> {
    const seen: T[] = []
    const endMs = performance.now() + SETTLED_MS
    while (performance.now() < endMs) seen.push(await look())
    return seen
  }

  test('does not count as a part for the next holder; the part can be sent again', async () => {
    const key = 'uploads/cut/data'
    const multipartId = await direct.start(key)
    const first = await direct.send(key, multipartId, 1, [WHOLE], PART_BYTES)
    proxy.set({ bytesPerSecond: LINE_BYTES_PER_SECOND })
    await dieWhile(dying.send(key, multipartId, 2, [WHOLE], PART_BYTES))

    const seen = await meanwhile(() => direct.contiguous(key, multipartId, PART_BYTES))
    expect(new Set(seen.map(({ length }) => length))).toEqual(new Set([1]))
    expect(seen[0]).toEqual([{ number: 1, offset: 0, bytes: PART_BYTES, ...first }])

    await direct.send(key, multipartId, 2, [WHOLE], PART_BYTES)
    const parts = await direct.contiguous(key, multipartId, PART_BYTES)
    await store.assemble(key, parts, multipartId)
    expect((await store.readAt(key, PART_BYTES, PART_BYTES)).equals(WHOLE)).toBe(true)
    expect(await store.head(key)).toMatchObject({ bytes: 2 * PART_BYTES })
  })

  test.each([
    ['tail', {}],
    ['object with its record', { record: 'e30=' }],
  ])('is no %s that the next holder finds', async (_, metadata) => {
    const key = `uploads/cut/${Object.keys(metadata).length}`
    proxy.set({ bytesPerSecond: LINE_BYTES_PER_SECOND })
    await dieWhile(dying.put(key, [WHOLE], PART_BYTES, metadata))
    const seen = await meanwhile(() => store.head(key))
    expect(seen.filter((found) => found !== undefined)).toEqual([])
    await direct.put(key, [WHOLE], PART_BYTES, metadata)
    expect(await store.head(key)).toMatchObject({ bytes: PART_BYTES, metadata })
  })

  test('parts and a tail in place of the last part become one object', async () => {
    const key = 'uploads/joined/data'
    const tail = Buffer.from('the last bytes')
    const multipartId = await direct.start(key)
    await direct.send(key, multipartId, 1, [WHOLE], PART_BYTES)
    await direct.put('uploads/joined/tail', [tail], tail.length)
    const parts = await direct.contiguous(key, multipartId, PART_BYTES)
    const last = { number: 2, offset: PART_BYTES, bytes: tail.length, key: 'uploads/joined/tail' }
    await store.assemble(key, [...parts, last], multipartId)
    expect(await store.readAt(key, PART_BYTES - 1, tail.length + 1)).toEqual(Buffer.from(`x${tail}`))
    // The answer of the first call may have been lost.
    await store.assemble(key, [...parts, last], multipartId)
    // And whoever made that call may have removed the tail already.
    await store.remove(last.key)
    await store.assemble(key, [...parts, last], multipartId)
    await expect(store.assemble(`${key}-never`, [...parts, last], multipartId)).rejects.toThrow()
  })
})
