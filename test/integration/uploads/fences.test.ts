// A newer request wins, live ones do not fight, and a late writer cannot spoil a file. Two machines over one Redis and one
// store where it matters who asks whom.

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import { LEASE_MS } from '../../../src/records/upload-session-store.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { startHttpProxy } from '../../support/proxy.ts'
import { at, idOf, type TusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
const PART = 8 * MIB

overBothStores((kind) => {
  let one: Environment
  let two: Environment

  beforeAll(async () => {
    one = await openEnvironment({ store: kind, appendOnly: true })
    two = await openEnvironment({
      store: kind,
      redis: one.redis,
      ...(one.s3 === undefined ? { dataDir: one.dataDir } : { s3: one.s3 }),
    })
  })
  afterAll(async () => {
    await two.close()
    await one.close()
  })

  async function begun(length: number, sent: number, seed: string) {
    const bytes = filmBytes(length, seed)
    const user = await one.user('film')
    const url = await user.create({ length, name: 'a.mp4' })
    const sending = user.begin(url, 0, length)
    await sending.write(bytes.subarray(0, sent))
    return { bytes, user, url, sending }
  }

  const reaches = (user: TusUser, url: string, offset: number) =>
    waitFor(async () => (await user.offset(url)) === offset, { what: `${offset} bytes to be acknowledged` })

  for (const where of ['the same machine', 'another machine'] as const) {
    const host = () => (where === 'the same machine' ? one.url : two.url)

    test(`HEAD at ${where} does not end a PATCH: its bytes become durable, and it continues`, async () => {
      const { bytes, user, url, sending } = await begun(2 * MIB, 100_000, `head ${where}`)
      await reaches(user, at(host(), url), 100_000)
      await sending.write(bytes.subarray(100_000, 200_000))
      await reaches(user, at(host(), url), 200_000)
      sending.end(bytes.subarray(200_000))
      expect((await sending.reply).status).toBe(204)
      expect(await one.storedSha256(url)).toBe(sha256(bytes))
    })

    test(`a PATCH at ${where} at the durable offset ends the running one: 400 UPLOAD_TAKEN_OVER`, async () => {
      const { bytes, user, url, sending } = await begun(2 * MIB, 300_000, `patch ${where}`)
      await reaches(user, at(host(), url), 300_000)
      // More arrives that nobody was told of: it is the newer request's to send again.
      await sending.write(bytes.subarray(300_000, 400_000))
      const startedAtMs = performance.now()
      const newer = user.begin(at(host(), url), 300_000, 2 * MIB - 300_000)
      await newer.write(bytes.subarray(300_000, 500_000))
      expectProblem(await sending.reply, 400, 'UPLOAD_TAKEN_OVER')
      await reaches(user, url, 500_000)
      // 150 ms and a store write are promised. That nobody waits for the lease to end is seen on a busy machine too.
      expect(performance.now() - startedAtMs).toBeLessThan(LEASE_MS)
      newer.end(bytes.subarray(500_000))
      expect((await newer.reply).status).toBe(204)
      expect(await one.storedSha256(url)).toBe(sha256(bytes))
    })

    test(`a PATCH at ${where} at another offset does not end the running one`, async () => {
      const { bytes, user, url, sending } = await begun(2 * MIB, 300_000, `wrong ${where}`)
      await reaches(user, url, 300_000)
      for (const wrong of [0, 299_999, 300_001]) {
        const refused = await user.patch(at(host(), url), wrong, bytes.subarray(wrong, wrong + 10))
        expectProblem(refused, 409, 'OFFSET_MISMATCH')
        expect(refused.headers['upload-offset']).toBe('300000')
      }
      sending.end(bytes.subarray(300_000))
      expect((await sending.reply).status).toBe(204)
      expect(await one.storedSha256(url)).toBe(sha256(bytes))
    })

    test(`DELETE at ${where} ends a PATCH`, async () => {
      const { user, url, sending } = await begun(2 * MIB, 300_000, `delete ${where}`)
      await reaches(user, url, 300_000)
      expect((await user.remove(at(host(), url))).status).toBe(204)
      expect([400, 410]).toContain((await sending.reply).status)
      expect((await user.head(url)).status).toBe(410)
    })
  }

  test('two machines that both continue an upload take turns, and the file is right', async () => {
    const bytes = filmBytes(3 * MIB, 'turns')
    const user = await one.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const worker = async (origin: string) => {
      for (let attempt = 0; attempt < 200; attempt++) {
        const offset = await user.offset(at(origin, url))
        if (offset === bytes.length) return
        const end = Math.min(bytes.length, offset + 150_000)
        const { status } = await user.patch(at(origin, url), offset, bytes.subarray(offset, end))
        expect([204, 400, 409, 423]).toContain(status)
      }
    }
    await Promise.all([worker(one.url), worker(two.url), worker(one.url)])
    expect(await user.offset(url)).toBe(bytes.length)
    expect(await one.storedSha256(url)).toBe(sha256(bytes))
    expect((await one.deps.uploads.latest(idOf(url)))?.state).toBe('stored')
  })

  // A client sends a PATCH, loses the line, and sends a newer one; the older lies on its way meanwhile.
  async function lateRequest(seed: string) {
    const bytes = filmBytes(2 * MIB, seed)
    const user = await one.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    let lateRaw: { readonly destroyed: boolean } | undefined
    let arrives: () => void = () => undefined
    const way = new Promise<void>((resolve) => {
      arrives = resolve
    })
    const acquire = two.deps.locks.acquire.bind(two.deps.locks)
    vi.spyOn(two.deps.locks, 'acquire').mockImplementationOnce(async (id, options) => {
      lateRaw = options?.request
      await way
      return await acquire(id, options)
    })
    const late = user.begin(at(two.url, url), 0, bytes.length)
    await late.write(bytes.subarray(0, 1000))
    await waitFor(() => lateRaw !== undefined)
    const newest = user.begin(url, 0, bytes.length)
    await newest.write(bytes.subarray(0, 1000))
    const holders = (machine: Environment) => [...machine.deps.peers.holders].filter(({ id }) => id === idOf(url))
    await waitFor(() => holders(one).length === 1)
    return {
      bytes,
      user,
      url,
      late,
      newest,
      arrives,
      isGone: () => lateRaw?.destroyed === true,
      held: () => holders(two).length === 1,
    }
  }

  test('a request of a client that is known to be gone interrupts nobody', async () => {
    const { bytes, url, late, newest, arrives, isGone } = await lateRequest('gone')
    late.cut()
    await waitFor(isGone)
    arrives()
    newest.end(bytes.subarray(1000))
    expect((await newest.reply).status).toBe(204)
    expect(await one.storedSha256(url)).toBe(sha256(bytes))
  })

  test('whom a gone client interrupted is asked to come again', async () => {
    const { bytes, user, url, late, newest, arrives, held } = await lateRequest('late')
    arrives()
    await waitFor(held)
    late.cut()
    const refused = await newest.reply
    expectProblem(refused, 423, 'UPLOAD_LOCKED')
    expect(refused.headers['retry-after']).toBe('1')
    const offset = await user.offset(url)
    expect((await user.patch(url, offset, bytes.subarray(offset))).status).toBe(204)
    expect(await one.storedSha256(url)).toBe(sha256(bytes))
  })

  test('an unresponsive holder is not waited for, and its later writes do not count', async () => {
    const { bytes, user, url, sending } = await begun(2 * MIB, 300_000, 'silent')
    await reaches(user, url, 300_000)
    // The process is alive and has forgotten how to answer.
    const [holder] = [...one.deps.peers.holders].filter(({ id }) => id === idOf(url))
    if (holder === undefined) throw new Error('nobody holds the upload')
    one.deps.peers.remove(holder)
    const newer = await user.patch(at(two.url, url), 300_000, bytes.subarray(300_000, 700_000))
    expect(newer.status).toBe(204)
    // The late writer goes on with something else, up to the end.
    sending.end(Buffer.alloc(2 * MIB - 300_000, 0xee))
    expectProblem(await sending.reply, 400, 'UPLOAD_TAKEN_OVER')
    if (kind === 's3') {
      expect(await user.offset(url)).toBe(700_000)
      expect((await user.patch(url, 700_000, bytes.subarray(700_000))).status).toBe(204)
      expect(await one.storedSha256(url)).toBe(sha256(bytes))
    }
  })

  // Regression: a successor counted the tail, the lost holder removed it, and acknowledged bytes with it.
  test.runIf(kind === 's3')('a tail that a former holder stores late never counts', async () => {
    const s3 = one.s3
    if (s3 === undefined) throw new Error('no bucket')
    const proxy = await startHttpProxy(s3.endpoint)
    const three = await openEnvironment({ store: kind, redis: one.redis, s3, s3Endpoint: proxy.url })
    try {
      const bytes = filmBytes(PART + 2 * MIB, 'tail')
      const user = await three.user('film')
      const url = await user.create({ length: bytes.length, name: 'a.mp4' })
      // The bucket has the tail; its answer waits until the successor has counted it.
      const answer = proxy.fault({ when: 'PutObject', act: 'holdResponse' })
      const late = user.patch(url, 0, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(300_000, 0xee)]))
      await waitFor(async () => {
        for await (const _tail of one.deps.store.list(objectKeys.tails(idOf(url)))) return true
        return false
      })
      const [holder] = [...three.deps.peers.holders].filter(({ id }) => id === idOf(url))
      if (holder === undefined) throw new Error('nobody holds the upload')
      three.deps.peers.remove(holder)
      expect((await user.patch(at(two.url, url), 0, bytes.subarray(0, 100))).status).toBe(204)
      answer()
      expectProblem(await late, 400, 'UPLOAD_TAKEN_OVER')
      // And it is not counted in a later recovery, though it is longer.
      const sending = user.begin(at(two.url, url), 100, bytes.length - 100)
      await sending.write(bytes.subarray(100, 2000))
      const successor = await waitFor(() => [...two.deps.peers.holders].find(({ id }) => id === idOf(url)))
      two.deps.peers.remove(successor)
      const offset = await user.offset(at(one.url, url))
      expect((await user.patch(at(one.url, url), offset, bytes.subarray(offset))).status).toBe(204)
      expect(await one.storedSha256(url)).toBe(sha256(bytes))
      sending.end(bytes.subarray(2000))
      expect((await sending.reply).status).toBe(400)
    } finally {
      await three.close()
      await proxy.stop()
    }
  })

  test.runIf(kind === 's3')(
    'a part that a former holder may still be sending is not sent before its time limit',
    async () => {
      const s3 = one.s3
      if (s3 === undefined) throw new Error('no bucket')
      const proxy = await startHttpProxy(s3.endpoint)
      const three = await openEnvironment({ store: kind, redis: one.redis, s3, s3Endpoint: proxy.url })
      try {
        const bytes = filmBytes(PART + MIB, 'in flight')
        const user = await three.user('film')
        const url = await user.create({ length: bytes.length, name: 'a.mp4' })
        const { hot } = one.deps.redis
        // 30 s are the rule; most of them are over.
        const overAtMs = Date.now() + 2500
        await hot.hset(`sn:hot:${idOf(url)}`, 'fly', `1:${overAtMs - 30_000}`)
        let sentAtMs = 0
        proxy.fault({
          when: ({ operation }) => {
            if (operation === 'UploadPart' && sentAtMs === 0) sentAtMs = Date.now()
            return false
          },
          act: 'silence',
        })
        expect((await user.patch(url, 0, bytes)).status).toBe(204)
        expect(sentAtMs).toBeGreaterThanOrEqual(overAtMs)
        expect(await three.storedSha256(url)).toBe(sha256(bytes))
      } finally {
        await three.close()
        await proxy.stop()
      }
    },
  )

  test.runIf(kind === 's3')('parts that Redis has lost are still in the file', async () => {
    const bytes = filmBytes(3 * PART + 2 * MIB, 'gap')
    const user = await one.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const sending = user.begin(url, 0, bytes.length)
    await sending.write(bytes.subarray(0, PART + MIB))
    await reaches(user, url, PART + MIB)
    const older = await one.redis.snapshot()
    await sending.write(bytes.subarray(PART + MIB, 2 * PART + MIB))
    await reaches(user, url, 2 * PART + MIB)
    await one.redis.restart({ dir: older })
    await sending.write(bytes.subarray(2 * PART + MIB, 3 * PART + MIB))
    // The third part arrives in a Redis that has never heard of the second.
    const { hot } = one.deps.redis
    await waitFor(async () => Number(await hot.hget(`sn:hot:${idOf(url)}`, 'off')) >= 3 * PART)
    sending.cut()
    await waitFor(async () => (await user.offset(url)) >= 3 * PART)
    const offset = await user.offset(url)
    expect((await user.patch(at(two.url, url), offset, bytes.subarray(offset))).status).toBe(204)
    expect(await two.storedSha256(url)).toBe(sha256(bytes))
  })
})
