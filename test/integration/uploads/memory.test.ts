// Slow clients cost bytes, not slots: memory is bounded whatever their number, nobody waits for a permit, and everybody
// gets on.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, type EnvironmentOptions, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'
import type { Sending, TusUser } from '../../support/tus.ts'

const MIB = 1024 ** 2
const BUDGET = MIB
/** A chunk of a socket, read before the account is looked at again; what a sink has just been given. */
const OVERSHOOT = 192 * 1024

type Slow = { user: TusUser; url: string; bytes: Buffer; sending: Sending }

async function begin(stack: Environment, length: number, seed: string): Promise<Slow> {
  const user = await stack.user('film')
  const url = await user.create({ length, name: 'a.mp4' })
  return { user, url, bytes: filmBytes(length, seed), sending: user.begin(url, 0, length) }
}

/** The most that was ever charged to the account from now on. */
function watch({ deps }: Environment): () => number {
  const { budget } = deps
  let most = 0
  const reserve = budget.reserve.bind(budget)
  vi.spyOn(budget, 'reserve').mockImplementation((bytes) => {
    reserve(bytes)
    most = Math.max(most, budget.used)
  })
  return () => most
}

async function spoolFiles({ dataDir }: Environment): Promise<string[]> {
  const folder = join(dataDir, 'spool', String(process.pid))
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return names.filter((_, i) => (sizes[i] ?? 0) > 0)
}

overBothStores((kind) => {
  test('a hundred clients that send few bytes and wait get them acknowledged immediately', async () => {
    const stack = await openEnvironment({ store: kind, env: { RECEIVE_BUDGET_BYTES: String(BUDGET) } })
    try {
      const clients = await Promise.all(Array.from({ length: 100 }, (_, i) => begin(stack, 200_000, `little ${i}`)))
      await Promise.all(clients.map(({ sending, bytes }) => sending.write(bytes.subarray(0, 50_000))))
      await Promise.all(clients.map(({ user, url }) => waitFor(async () => (await user.offset(url)) === 50_000)))
      for (const { sending, bytes } of clients) sending.end(bytes.subarray(50_000))
      const replies = await Promise.all(clients.map(({ sending }) => sending.reply))
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]))
      for (const { url, bytes } of clients.slice(0, 5)) expect(await stack.storedSha256(url)).toBe(sha256(bytes))
      await waitFor(() => stack.deps.budget.used === 0)
    } finally {
      await stack.close()
    }
  })
})

describe.skipIf(!s3Available())('more bytes than the memory budget, on a slow S3', () => {
  let s3: TestS3
  let proxy: HttpProxy
  let stack: Environment

  const open = async (env: EnvironmentOptions['env']) => {
    s3 = await startS3()
    proxy = await startHttpProxy(s3.endpoint)
    stack = await openEnvironment({
      store: 's3',
      s3,
      s3Endpoint: proxy.url,
      env: { RECEIVE_BUDGET_BYTES: String(BUDGET), ...env },
    })
  }
  afterEach(async () => {
    await stack.close()
    await proxy.stop()
    await s3.stop()
  })

  /** Half a part from each: nobody can finish one, and together they are far beyond the account. */
  const sendHalves = async (clients: Slow[], half: number) => {
    await Promise.all(clients.map(({ sending, bytes }) => sending.write(bytes.subarray(0, half))))
    await waitFor(
      async () => {
        const offsets = await Promise.all(clients.map(({ user, url }) => user.offset(url)))
        return offsets.every((offset) => offset === half)
      },
      { what: 'everything sent to be acknowledged' },
    )
  }

  const finishAll = async (clients: Slow[], half: number) => {
    for (const { sending, bytes } of clients) sending.end(bytes.subarray(half))
    const replies = await Promise.all(clients.map(({ sending }) => sending.reply))
    expect(replies.map(({ status }) => status)).toEqual(clients.map(() => 204))
    for (const { url, bytes } of clients) expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    await waitFor(() => stack.deps.budget.used === 0)
  }

  test('waiting bytes go to the spool, which is empty in the end', async () => {
    await open({ SPOOL_MAX_BYTES: String(100 * MIB) })
    const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => begin(stack, 9 * MIB, `much ${i}`)))
    const most = watch(stack)
    await sendHalves(clients, 2 * MIB)
    expect((await spoolFiles(stack)).length).toBeGreaterThan(0)
    // One of them at a time comes back into memory, to become a tail.
    expect(most()).toBeLessThan(BUDGET + 2 * MIB + clients.length * OVERSHOOT)
    await finishAll(clients, 2 * MIB)
    expect(await spoolFiles(stack)).toEqual([])
  })

  test('without disk space waiting bytes go to tails, and not repeatedly', async () => {
    const account = 8 * MIB
    await open({ SPOOL_MAX_BYTES: '0', RECEIVE_BUDGET_BYTES: String(account) })
    const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => begin(stack, 3 * MIB, `tail ${i}`)))
    const most = watch(stack)
    proxy.reset()
    await sendHalves(clients, 2 * MIB)
    expect(most()).toBeLessThan(account + clients.length * OVERSHOOT)
    const sent = proxy.calls.reduce((sum, { requestBytes }) => sum + requestBytes, 0)
    expect(sent).toBeLessThan(4 * clients.length * 2 * MIB)
    await finishAll(clients, 2 * MIB)
  })

  // Regression: a socket paused for its own bytes while memory was short was never resumed.
  test('no client stays paused forever', async () => {
    await open({ RECEIVE_BUDGET_BYTES: String(4 * MIB) })
    const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => begin(stack, 9 * MIB, `full ${i}`)))
    proxy.fault({ when: 'UploadPart', act: 'delayResponse', ms: 500 })
    await finishAll(clients, 0)
  })

  test('spooled parts that become complete together are not all read into memory at the same time', async () => {
    await open({ RECEIVE_BUDGET_BYTES: String(4 * MIB) })
    const part = 8 * MIB
    const nearly = part - 100_000
    const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => begin(stack, 9 * MIB, `part ${i}`)))
    await sendHalves(clients, nearly)
    const most = watch(stack)
    proxy.fault({ when: 'UploadPart', act: 'delayResponse', ms: 1000 })
    await finishAll(clients, nearly)
    // The account, two parts on their way, and what sockets gave before they were paused.
    expect(most()).toBeLessThan(4 * MIB + 2 * part + clients.length * OVERSHOOT)
  })
})
