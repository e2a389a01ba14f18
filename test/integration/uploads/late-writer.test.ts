// A holder that hung for a moment and writes after another request has taken its place, in the one store where nothing
// but the file system is between two writers: the local directory.

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { UploadLedger } from '../../../src/uploads/ledger.ts'
import { sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { idOf } from '../../support/tus.ts'

let stack: Environment

beforeAll(async () => {
  stack = await openEnvironment({ store: 'local' })
})
afterAll(() => stack.close())

const filled = (length: number, letter: string) => Buffer.alloc(length, letter)

async function openSink(id: string, offset: number) {
  const { locks, ledgerParts, uploadStore } = stack.deps
  const held = await locks.acquire(id, { offset })
  const ledger = new UploadLedger(ledgerParts, held.state, held.fence)
  const sink = await uploadStore.open(held.state, ledger)
  const write = async (bytes: Buffer) => {
    stack.deps.budget.reserve(bytes.length)
    await sink.write([bytes], bytes.length)
  }
  return { held, sink, write }
}

test('late writes of a hung holder do not change the bytes of the next holder', async () => {
  const user = await stack.user('film')
  const url = await user.create({ length: 300_000, name: 'a.mp4' })
  const id = idOf(url)

  // The first holder never answers: no request of this process is known to receive the upload.
  const first = await openSink(id, 0)
  await first.write(filled(100_000, 'a'))
  await first.sink.flush()

  const second = await openSink(id, 100_000)
  await second.write(filled(100_000, 'b'))
  // Now the first wakes up: its write succeeds, its commit does not.
  await first.write(filled(150_000, 'z'))
  await expect(first.sink.flush()).rejects.toMatchObject({ code: 'UPLOAD_TAKEN_OVER' })
  await second.sink.flush()
  await first.sink.close()

  // The second dies too, and a third goes on where it stood.
  const third = await openSink(id, 200_000)
  await third.write(filled(100_000, 'c'))
  await third.sink.complete()
  await second.sink.close()
  await third.sink.close()

  const { uploads, completion, store } = stack.deps
  await completion.run(id)
  const record = await uploads.latest(id)
  expect(record?.state).toBe('stored')
  const stored = await store.read(record?.object.key ?? '')
  const expected = Buffer.concat([filled(100_000, 'a'), filled(100_000, 'b'), filled(100_000, 'c')])
  expect(sha256(stored ?? Buffer.alloc(0))).toBe(sha256(expected))
})

test('after the loss of Redis the offset is found from the files alone', async () => {
  const user = await stack.user('film')
  const url = await user.create({ length: 300_000, name: 'b.mp4' })
  const id = idOf(url)
  const first = await openSink(id, 0)
  await first.write(filled(100_000, 'a'))
  await first.sink.flush()
  const second = await openSink(id, 100_000)
  await second.write(filled(50_000, 'b'))
  await second.sink.flush()
  await first.write(filled(150_000, 'z'))
  await first.sink.close()
  await second.sink.close()
  await stack.deps.redis.hot.flushall()

  expect(await user.offset(url)).toBe(150_000)
  const third = await openSink(id, 150_000)
  await third.write(filled(150_000, 'c'))
  await third.sink.complete()
  await third.sink.close()
  await stack.deps.completion.run(id)
  const record = await stack.deps.uploads.latest(id)
  const stored = await stack.deps.store.read(record?.object.key ?? '')
  const expected = Buffer.concat([filled(100_000, 'a'), filled(50_000, 'b'), filled(150_000, 'c')])
  expect(sha256(stored ?? Buffer.alloc(0))).toBe(sha256(expected))
})

test('HEAD on an upload whose holder died does not interrupt the next holder', async () => {
  const user = await stack.user('film')
  const url = await user.create({ length: 300_000, name: 'c.mp4' })
  const id = idOf(url)
  const { peers, hot } = stack.deps
  // A process that is no more: no process has this id.
  await hot.acquire(id, 'fence-of-the-dead', '4194305-dead', { offset: 0 })

  let next: Awaited<ReturnType<typeof openSink>> | undefined
  const ask = vi.spyOn(peers, 'ask').mockImplementationOnce(async () => {
    // The question finds nobody; at this moment the client's PATCH arrives.
    ask.mockRestore()
    next = await openSink(id, 0)
    return { unresponsive: true, timedOut: false, offset: null }
  })
  expect(await user.offset(url)).toBe(0)
  await next?.write(filled(100_000, 'a'))
  await next?.sink.flush()
  await next?.sink.close()
  expect(await user.offset(url)).toBe(100_000)
})
