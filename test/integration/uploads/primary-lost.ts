// A primary dies, or hangs, in the middle of uploads and jobs, and what it was told last its replica never had. Nobody is told an
// offset that is lower than one before, or an error that ends an upload.

import { expect } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { QUICK } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import type { TestSentinels } from '../../support/sentinel.ts'
import { idOf } from '../../support/tus.ts'

const KIB = 1024
const CLIENTS = 6

type Client = Awaited<ReturnType<typeof begun>>

export async function begun(stack: Environment, n: number) {
  const bytes = filmBytes(256 * KIB + n, `client ${n}`)
  const user = await stack.user('film')
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  await user.patch(url, 0, bytes.subarray(0, 64 * KIB))
  return { user, url, bytes, told: [64 * KIB] }
}

/** Acknowledged bytes, up to an offset. */
export async function sendTo({ user, url, bytes, told }: Client, end: number) {
  const from = told.at(-1) ?? 0
  expect((await user.patch(url, from, bytes.subarray(from, end))).status).toBe(204)
  told.push(end)
}

/** Asks and sends as a client does, until the last byte is acknowledged. Returns every status that it was told. */
async function finish({ user, url, bytes, told }: Client): Promise<number[]> {
  const statuses: number[] = []
  await waitFor(
    async () => {
      const head = await user.head(url)
      statuses.push(head.status)
      if (head.status !== 200) return false
      const offset = Number(head.headers['upload-offset'])
      told.push(offset)
      if (offset === bytes.length) return true
      const patch = await user.patch(url, offset, bytes.subarray(offset, offset + 64 * KIB))
      statuses.push(patch.status)
      if (patch.status === 204) told.push(Number(patch.headers['upload-offset']))
      return false
    },
    { what: 'the upload to end' },
  )
  return statuses
}

type OnEnd = (end: () => Promise<void> | void) => void

export async function losePrimary(redis: TestSentinels, how: 'kill' | 'pause', onEnd: OnEnd): Promise<void> {
  const stack = await openEnvironment({ redisUrl: redis.url, lanes: 'validate,maintain' })
  onEnd(() => stack.close())
  await stack.start(QUICK)
  const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => begun(stack, n)))
  const [first, second, ...others] = clients as [Client, Client, ...Client[]]
  const before = stack.deps.runId.current

  await redis.part()
  for (const client of clients) await sendTo(client, 128 * KIB)
  // Its job for the verdict, too, is only in the primary.
  await stack.deps.queues.byLane.validate.pause()
  await sendTo(first, first.bytes.length)
  const sending = second.user.begin(second.url, 128 * KIB, 128 * KIB)
  await sending.write(second.bytes.subarray(128 * KIB, 200 * KIB))
  await redis[how]()
  const statuses = await Promise.all([first, ...others].map(finish))
  sending.cut()
  statuses.push(await finish(second))
  await redis.failedOver()
  // The service does so every second: lost jobs are queued again, once this process knows of the new primary, and where
  // another rebuild, or the walk of the checkpoint, has ended.
  const { rebuilder, runId, index } = stack.deps
  await waitFor(
    async () => {
      await runId.ask()
      await rebuilder.heal()
      return runId.current !== before && (await index.completeness.isComplete())
    },
    { what: 'Redis to be rebuilt' },
  )
  if (how === 'pause') redis.resume()

  expect(statuses.flat().filter((status) => ![200, 204, 409, 423].includes(status))).toEqual([])
  for (const { told } of clients) expect(told).toEqual([...told].sort((a, b) => a - b))
  for (const { url, bytes } of clients) {
    const record = await stack.until(idOf(url), ({ state }) => state === 'rejected')
    expect(record.receivedBytes).toBe(bytes.length)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  }
}
