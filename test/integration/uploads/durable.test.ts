// Acknowledged means stored: an offset that a client was told never becomes less, whatever becomes of Redis.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { idOf, type TusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
/** Two whole parts on S3 and a tail. */
const LENGTH = 18 * MIB
const FIRST = 9 * MIB
const SECOND = 17 * MIB
const bytes = filmBytes(LENGTH, 'durable')

overBothStores((kind) => {
  let stack: Environment
  let user: TusUser
  let url: string

  beforeEach(async () => {
    stack = await openEnvironment({ store: kind, appendOnly: true })
    user = await stack.user('film')
    url = await user.create({ length: LENGTH, name: 'a.mp4' })
  })
  afterEach(() => stack.close())

  const patch = async (from: number, to: number) => {
    const { status, headers } = await user.patch(url, from, bytes.subarray(from, to))
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 204, offset: String(to) })
  }
  const finish = async () => {
    await patch(SECOND, LENGTH)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  }

  test('Redis restarted with its data', async () => {
    await patch(0, FIRST)
    await patch(FIRST, SECOND)
    await stack.redis.restart()
    expect(await user.offset(url)).toBe(SECOND)
    await finish()
  })

  test('Redis returned empty', async () => {
    await patch(0, FIRST)
    await patch(FIRST, SECOND)
    await stack.deps.redis.hot.flushall()
    expect(await user.offset(url)).toBe(SECOND)
    await finish()
  })

  test('Redis returned empty, and a PATCH is the first request', async () => {
    await patch(0, FIRST)
    await patch(FIRST, SECOND)
    await stack.redis.restart({ dir: await stack.redis.emptyDir() })
    await finish()
  })

  describe('Redis returned with older data', () => {
    test('HEAD reads the store', async () => {
      await patch(0, FIRST)
      const older = await stack.redis.snapshot()
      await patch(FIRST, SECOND)
      await stack.redis.restart({ dir: older })
      expect(await user.offset(url)).toBe(SECOND)
      await finish()
    })

    test('PATCH reads the store', async () => {
      await patch(0, FIRST)
      const older = await stack.redis.snapshot()
      await patch(FIRST, SECOND)
      await stack.redis.restart({ dir: older })
      const stale = await user.patch(url, FIRST, bytes.subarray(FIRST, FIRST + 10))
      expectProblem(stale, 409, 'OFFSET_MISMATCH')
      expect(stale.headers['upload-offset']).toBe(String(SECOND))
      await finish()
    })

    // Regression: requests that waited for Redis carried the run id of the one that went away, and believed its successor.
    test('a PATCH that waited while Redis was unavailable reads the store', async () => {
      await patch(0, FIRST)
      const older = await stack.redis.snapshot()
      await patch(FIRST, SECOND)
      await stack.redis.kill()
      await waitFor(() => stack.deps.redis.hot.status !== 'ready')
      const waiting = user.patch(url, SECOND, bytes.subarray(SECOND, SECOND + 10))
      await stack.redis.restart({ dir: older })
      const { status, headers } = await waiting
      if (status !== 204)
        expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 409, offset: `${SECOND}` })
      expect(await user.offset(url)).toBeGreaterThanOrEqual(SECOND)
    })

    // Regression: an entry with a holder was believed, though it was written under another Redis.
    test('with a holder that has ended', async () => {
      const sending = user.begin(url, 0, SECOND)
      await sending.write(bytes.subarray(0, FIRST))
      await waitFor(async () => (await user.offset(url)) === FIRST)
      const older = await stack.redis.snapshot()
      sending.end(bytes.subarray(FIRST, SECOND))
      expect((await sending.reply).headers['upload-offset']).toBe(String(SECOND))
      await stack.redis.restart({ dir: older })
      expect(await user.offset(url)).toBe(SECOND)
      await finish()
    })

    // Regression: as above; the holder had nothing new to flush, so what Redis said was never put right.
    test('with a holder that is still receiving', async () => {
      const sending = user.begin(url, 0, LENGTH)
      await sending.write(bytes.subarray(0, FIRST))
      await waitFor(async () => (await user.offset(url)) === FIRST)
      const older = await stack.redis.snapshot()
      await sending.write(bytes.subarray(FIRST, SECOND))
      await waitFor(async () => (await user.offset(url)) === SECOND)
      await stack.redis.restart({ dir: older })
      expect(await user.offset(url)).toBeGreaterThanOrEqual(SECOND)
    })

    test('an upload that was stored stays stored', async () => {
      await patch(0, FIRST)
      const older = await stack.redis.snapshot()
      await patch(FIRST, SECOND)
      await patch(SECOND, LENGTH)
      const { version } = await stack.record(url)
      await stack.redis.restart({ dir: older })
      expect(await user.offset(url)).toBe(LENGTH)
      const again = await user.patch(url, FIRST, bytes.subarray(FIRST, FIRST + 10))
      expect({ status: again.status, offset: again.headers['upload-offset'] }).toEqual({
        status: 409,
        offset: String(LENGTH),
      })
      expect((await stack.record(url)).version).toBe(version)
      expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    })
  })

  // Regression: the request was answered 400, which clients take as the end of the upload.
  test('a running request continues while Redis loses everything', async () => {
    const sending = user.begin(url, 0, LENGTH)
    await sending.write(bytes.subarray(0, FIRST))
    await waitFor(async () => (await user.offset(url)) === FIRST)
    await stack.deps.redis.hot.flushall()
    sending.end(bytes.subarray(FIRST))
    const { status } = await sending.reply
    expect([204, 423]).toContain(status)
    const offset = await user.offset(url)
    expect(offset).toBeGreaterThanOrEqual(FIRST)
    if (offset < LENGTH) await patch(offset, LENGTH)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  // Regression: what was restored from the store after a loss of Redis counted as expired at once.
  test('an unfinished upload survives the loss of Redis and the reconciler', async () => {
    await patch(0, FIRST)
    await stack.deps.redis.hot.flushall()
    const { owner, submissionId } = await stack.record(url)
    await stack.deps.heads.rebuild(owner, submissionId ?? '')
    await stack.deps.reconciler.one(idOf(url))
    await stack.deps.reconciler.tick()
    expect(await user.offset(url)).toBe(FIRST)
  })

  // Regression: the fingerprint was forgotten with Redis, and the client began again from byte 0.
  test('an unfinished upload is found by its fingerprint after the loss of Redis', async () => {
    const creation = { length: LENGTH, name: 'a.mp4', fingerprint: 'f-1' }
    url = await user.create(creation)
    await patch(0, FIRST)
    await stack.deps.redis.hot.flushall()
    expect(await user.offset(url)).toBe(FIRST)
    expect((await user.post(creation)).headers.location).toBe(url)
  })
})
