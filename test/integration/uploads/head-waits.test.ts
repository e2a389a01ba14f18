// HEAD while bytes arrive: it waits until what has arrived is stored, but not for ever. Who is told less than what is about
// to be stored sends that again, or begins anew: 423 makes a client ask again.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { PATIENCE_MS, waitFor } from '../../support/http.ts'
import { type Call, type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'
import { at } from '../../support/tus.ts'

const LENGTH = 1024 ** 2
const SENT = 300_000

describe.skipIf(!s3Available())('a bucket that is slow to store a tail', () => {
  let s3: TestS3
  let proxy: HttpProxy
  let one: Environment
  let two: Environment
  let uploads = 0

  beforeAll(async () => {
    s3 = await startS3()
    proxy = await startHttpProxy(s3.endpoint)
    const slow = { store: 's3', s3, s3Endpoint: proxy.url, holderSilenceMs: PATIENCE_MS } as const
    one = await openEnvironment(slow)
    two = await openEnvironment({ ...slow, redis: one.redis })
  })
  afterEach(() => proxy.reset())
  afterAll(async () => {
    await two.close()
    await one.close()
    await proxy.stop()
    await s3.stop()
  })

  /** A client whose bytes have arrived; whoever wants them stored as a tail waits until the proxy is reset. */
  async function sendTo(stack: Environment) {
    const seed = `head-waits-${++uploads}`
    const isTail = ({ operation, url: path }: Call) => operation === 'PutObject' && path.includes('/tail-')
    const bytes = filmBytes(LENGTH, seed)
    const user = await stack.user('film')
    const creation = { length: LENGTH, name: 'a.mp4', fingerprint: seed }
    const url = await user.create(creation)
    proxy.fault({ when: isTail, act: 'hold' })
    const sending = user.begin(url, 0, LENGTH)
    await sending.write(bytes.subarray(0, SENT))
    await waitFor(() => stack.deps.budget.used >= SENT, { what: 'the bytes to arrive' })
    const finish = async () => {
      proxy.reset()
      sending.end(bytes.subarray(SENT))
      expect((await sending.reply).status).toBe(204)
      expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    }
    /** Nobody stores a tail here but who is asked for the offset. */
    const asked = () => waitFor(() => proxy.calls.some(isTail), { what: 'the tail to be on its way' })
    return { user, url, creation, asked, finish }
  }

  test.each(['the same machine', 'another machine'])('HEAD at %s waits for the tail', async (where) => {
    const { user, url, asked, finish } = await sendTo(one)
    const head = user.head(where === 'another machine' ? at(two.url, url) : url)
    await asked()
    proxy.reset()
    expect(await head).toMatchObject({ status: 200, headers: { 'upload-offset': String(SENT) } })
    await finish()
  })

  test.each(['the same machine', 'another machine'])(
    'HEAD at %s waits for a limited time, then 423, and the complete offset once it is stored',
    async (where) => {
      const { user, url, finish } = await sendTo(one)
      const asked = where === 'another machine' ? at(two.url, url) : url
      const busy = await user.head(asked)
      expect(busy.status).toBe(423)
      expect(busy.headers['retry-after']).toBe('1')
      proxy.reset()
      expect(await user.offset(asked)).toBe(SENT)
      await finish()
    },
  )

  test('a creation with the same fingerprint still finds the upload', async () => {
    const { user, url, creation, finish } = await sendTo(one)
    expect(await user.create(creation)).toBe(url)
    await finish()
  })

  test('DELETE still ends the upload', async () => {
    const { user, url } = await sendTo(one)
    expect((await user.remove(url)).status).toBe(204)
    proxy.reset()
    expect((await user.head(url)).status).toBe(410)
  })
})
