// A body with a checksum counts whole or not at all.

import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import type { TusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const KIB = 1024
const bytes = filmBytes(400 * KIB, 'checksum')
const half = bytes.subarray(0, 200 * KIB)

const checksum = (data: Buffer, algorithm = 'sha256') => ({
  'Upload-Checksum': `${algorithm} ${createHash(algorithm).update(data).digest('base64')}`,
})

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind })
  })
  afterAll(() => stack.close())

  const begun = async () => {
    const user = await stack.user('film')
    return { user, url: await user.create({ length: bytes.length, name: 'a.mp4' }) }
  }

  test('a wrong checksum: 460, and no byte of the body counts', async () => {
    const { user, url } = await begun()
    expect((await user.patch(url, 0, half, checksum(half, 'sha1'))).status).toBe(204)
    const wrong = await user.patch(url, half.length, bytes.subarray(half.length), checksum(half))
    expectProblem(wrong, 460, 'CHECKSUM_MISMATCH')
    expect(await user.offset(url)).toBe(half.length)
    const rest = bytes.subarray(half.length)
    expect((await user.patch(url, half.length, rest, checksum(rest))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('HEAD during the request does not report unverified bytes', async () => {
    const { user, url } = await begun()
    const sending = user.begin(url, 0, half.length, checksum(half))
    await sending.write(half.subarray(0, 100 * KIB))
    expect(await user.offset(url)).toBe(0)
    sending.end(half.subarray(100 * KIB))
    expect((await sending.reply).status).toBe(204)
    expect(await user.offset(url)).toBe(half.length)
  })

  // Regression: all bytes had come, so the upload was finished, without the bytes that waited for verification.
  test('a chunked body without its end marker does not count as verified', async () => {
    const { user, url } = await begun()
    const sending = user.begin(url, 0, undefined, checksum(bytes))
    await sending.write(bytes)
    const holder = () => [...stack.deps.peers.holders].find(({ id }) => url.endsWith(id))
    await waitFor(() => holder() !== undefined)
    await waitFor(() => stack.deps.spool.used >= bytes.length)
    sending.cut()
    await waitFor(() => holder() === undefined)
    expect(await user.offset(url)).toBe(0)
    expect((await user.patch(url, 0, bytes, checksum(bytes))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })
})

const MIB = 1024 * KIB

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind, env: { RECEIVE_BUDGET_BYTES: String(MIB) } })
  })
  afterAll(() => stack.close())

  const created = async (length: number): Promise<{ user: TusUser; url: string }> => {
    const user = await stack.user('film')
    return { user, url: await user.create({ length, name: 'a.mp4' }) }
  }

  // Regression: the body was held in memory, charged to the account that it then waited for.
  test('a body larger than the memory budget is accepted', async () => {
    const film = filmBytes(6 * MIB, 'larger')
    const { user, url } = await created(film.length)
    expect((await user.patch(url, 0, film, checksum(film, 'sha1'))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(film))
    await waitFor(() => stack.deps.budget.used === 0 && stack.deps.spool.used === 0)
  })

  // Regression: what such bodies had been charged was never given back, and nobody could send any more.
  test('clients that disconnect during such a body leave no reserved memory', async () => {
    const film = filmBytes(3 * MIB, 'leaving')
    for (let round = 0; round < 6; round++) {
      const { user, url } = await created(film.length)
      const sending = user.begin(url, 0, film.length, checksum(film, 'sha1'))
      const sent = sending.write(film.subarray(0, 2 * MIB)).catch(() => undefined)
      await waitFor(() => stack.deps.budget.used > 0 || stack.deps.spool.used > 0)
      sending.cut()
      await sent
    }
    const { user, url } = await created(film.length)
    expect((await user.patch(url, 0, film)).status).toBe(204)
    await waitFor(() => stack.deps.budget.used === 0 && stack.deps.spool.used === 0)
  })
})

test('without disk space for an unverified body the client is asked to retry', async () => {
  const stack = await openEnvironment({ env: { SPOOL_MAX_BYTES: String(100 * KIB) } })
  try {
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    expectProblem(await user.patch(url, 0, half, checksum(half)), 423, 'UPLOAD_LOCKED')
    const little = bytes.subarray(0, 50 * KIB)
    expect((await user.patch(url, 0, little, checksum(little))).status).toBe(204)
    expect({ budget: stack.deps.budget.used, spool: stack.deps.spool.used }).toEqual({ budget: 0, spool: 0 })
  } finally {
    await stack.close()
  }
})

// A refused sum is found before the upload is opened: a file left open for each would end the process.
test('an unreadable checksum header leaves no file open', async () => {
  const stack = await openEnvironment()
  try {
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const openFiles = async () => (await readdir('/proc/self/fd')).length
    await user.patch(url, 0, half, { 'Upload-Checksum': 'md5 AAAA' })
    const before = await openFiles()
    for (let round = 0; round < 40; round++)
      expect((await user.patch(url, 0, half, { 'Upload-Checksum': 'md5 AAAA' })).status).toBe(400)
    await waitFor(async () => (await openFiles()) < before + 20)
  } finally {
    await stack.close()
  }
})

// `gc` exists only in a context that is made after the flag is set.
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const REQUESTS = 10_000
const AT_ONCE = 20

/** Ends one request with a checksum in one of the ways that clients have. */
async function sendSomehow({ user, url }: { user: TusUser; url: string }, round: number): Promise<void> {
  const body = bytes.subarray(0, 1 + ((round * 7919) % (100 * KIB)))
  const sum = checksum(round % 5 === 0 ? half : body)
  if (round % 3 === 0) {
    const sending = user.begin(url, 0, round % 2 === 0 ? body.length : undefined, sum)
    await sending.write(body.subarray(0, Math.ceil(body.length / 2))).catch(() => undefined)
    if (round % 4 === 0) await setImmediate()
    sending.cut()
    return
  }
  // Its offset moves on, so that most are refused, or taken over by the next one.
  await user.patch(url, 0, body, sum).catch(() => undefined)
}

test(`${REQUESTS} such bodies with every kind of end: nothing stays reserved, and no bytes stay in memory`, async () => {
  const stack = await openEnvironment()
  try {
    const bytesHeldAfter = async (first: number, last: number): Promise<number> => {
      let next = first
      const worker = async () => {
        const user = await stack.user('film')
        let url = ''
        while (next < last) {
          const round = next++
          if (url === '' || round % 10 === 0) url = await user.create({ length: bytes.length, name: 'a.mp4' })
          await sendSomehow({ user, url }, round)
          stack.lines.length = 0
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      await waitFor(() => stack.deps.budget.used === 0 && stack.deps.spool.used === 0)
      // Not the process's memory: it grows by what the garbage collector has not come to yet.
      collectGarbage()
      return process.memoryUsage().external
    }
    const before = await bytesHeldAfter(0, REQUESTS / 2)
    const after = await bytesHeldAfter(REQUESTS / 2, REQUESTS)
    // Where each request keeps the bytes of its body, it is 46 MiB.
    expect(after - before).toBeLessThan(20 * MIB)
  } finally {
    await stack.close()
  }
})
