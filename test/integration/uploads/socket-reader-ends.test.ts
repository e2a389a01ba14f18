// Every way in which a body that is read below node:http may end: what arrived is kept, nobody else's bytes are taken for it, and
// no connection, descriptor or memory stays behind.

import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BATCH_BYTES } from '../../../src/uploads/receive.ts'
import { SLAB_BYTES } from '../../../src/uploads/slabs.ts'
import { SocketReader } from '../../../src/uploads/socket-reader.ts'
import { waitFor } from '../../support/http.ts'
import { BODY, BodyServer, complete, type Line, MIB } from './body-server.ts'

let server: BodyServer

beforeEach(async () => {
  server = new BodyServer()
  await server.start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await server.close()
})

/** What is written waits until the disk is opened. */
function slowDisk() {
  let open: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  return { gate, open: () => open() }
}

const ownFds = () => readdirSync('/proc/self/fd').length

describe('a client that half-closes', () => {
  test('after its body gets its answer', async () => {
    const line = server.line(true)
    line.head(BODY.length)
    line.socket.end(BODY)
    expect(await line.answer(1)).toBe(complete(BODY))
    await waitFor(() => line.ended)
  })

  test('within its body is told, and what it sent is kept', async () => {
    const line = server.line(true)
    const { sink } = await line.begin()
    line.socket.end()
    await waitFor(() => server.requests[0]?.outcome === 'gone')
    expect(Buffer.concat(sink.chunks).equals(BODY.subarray(0, 4 * MIB))).toBe(true)
    await waitFor(() => line.ended)
    expect(line.text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })
})

describe('a client that resets its connection', () => {
  const reset = ({ socket }: Line) => void socket.resetAndDestroy()

  test('within the body: what it sent is kept', async () => {
    const line = server.line()
    const { sink } = await line.begin()
    await waitFor(() => sink.position === 4 * MIB)
    reset(line)
    await waitFor(() => server.requests[0]?.outcome === 'gone')
    expect(Buffer.concat(sink.chunks).equals(BODY.subarray(0, 4 * MIB))).toBe(true)
  })

  test('while the disk is slow and it is not read', async () => {
    let open: () => void = () => undefined
    server.gate = new Promise((resolve) => {
      open = resolve
    })
    const line = server.line()
    line.patch(BODY)
    await waitFor(() => server.budget.used >= 512 * 1024)
    reset(line)
    open()
    await waitFor(() => server.requests[0]?.outcome === 'gone')
  })

  test('between its body and the answer', async () => {
    let open: () => void = () => undefined
    server.beforeAnswer = new Promise((resolve) => {
      open = resolve
    })
    const line = server.line()
    line.patch(BODY)
    await waitFor(() => server.requests[0]?.sink.position === BODY.length)
    reset(line)
    await waitFor(() => server.connections().then((count) => count === 0))
    open()
    await waitFor(() => server.requests[0]?.outcome === 'complete')
  })
})

test('a client that sends less than it said, and waits, is cut by the idle time-out; its bytes are kept', async () => {
  server.options = { idleTimeoutMs: 300 }
  const line = server.line()
  const { sink } = await line.begin()
  expect(await line.answer(1)).toMatch(/^gone 4194304 /)
  expect(Buffer.concat(sink.chunks).equals(BODY.subarray(0, 4 * MIB))).toBe(true)
})

test('a body that is too long is refused; the rest of it is not taken for the next request', async () => {
  server.options = { limitBytes: 5 * MIB }
  const line = server.line()
  line.patch(BODY)
  expect(await line.answer(1)).toMatch(/^UPLOAD_LENGTH_EXCEEDED /)
  server.options = {}
  line.patch(BODY)
  expect(await line.answer(2)).toBe(complete(BODY))
})

test.each(['stop', 'leave'] as const)('%s: the rest of the body is not taken for the next request', async (how) => {
  const line = server.line()
  const { receiver, sink } = await line.begin()
  await receiver[how]()
  expect(await line.answer(1)).toMatch(/^stopped /)
  expect(server.budget.slabs.bytes).toBe(0)
  const kept = Buffer.concat(sink.chunks)
  expect(kept.equals(BODY.subarray(0, kept.length))).toBe(true)
  line.socket.write(BODY.subarray(4 * MIB))
  line.patch(BODY)
  expect(await line.answer(2)).toBe(complete(BODY))
})

test('stopped while the disk is slow and it is not read: the rest of the body is read, and the next request', async () => {
  const line = server.line()
  const { receiver, sink } = await line.begin(2 * BODY.length)
  const disk = slowDisk()
  sink.gate = disk.gate
  line.socket.write(BODY.subarray(4 * MIB))
  line.socket.write(BODY)
  await waitFor(() => server.budget.used >= 2 * SLAB_BYTES, { what: 'bytes to wait for the sink' })
  const stopped = receiver.stop()
  disk.open()
  await stopped
  expect(await line.answer(1)).toMatch(/^stopped /)
  line.patch(BODY)
  expect(await line.answer(2)).toBe(complete(BODY))
})

// The HTTP server uses parsers again: the one of a connection that has ended counts the bytes of another.
test('a body that ends after its connection does not count in the body of a newer connection', async () => {
  const line = server.line()
  const { request, receiver, sink } = await line.begin()
  const disk = slowDisk()
  sink.gate = disk.gate
  const sent = 4 * MIB + BATCH_BYTES
  await line.write(BODY.subarray(4 * MIB, sent))
  await waitFor(() => receiver.receivedBytes === sent)
  // As at the end of the process, or when an answer cannot be sent.
  request.socket.destroy()
  await waitFor(() => server.connections().then((count) => count === 0))
  const newer = server.line()
  newer.head(BODY.length)
  await waitFor(() => server.requests.length === 2)
  disk.open()
  await waitFor(() => server.requests[0]?.outcome === 'gone')
  newer.socket.write(BODY)
  expect(await newer.answer(1)).toBe(complete(BODY))
})

test('a parser that is not where it should be ends the connection, and nothing after it counts', async () => {
  const line = server.line()
  const { request } = await line.begin()
  const { parser } = request.socket as unknown as { parser: { execute(bytes: Buffer): number } }
  const execute = parser.execute.bind(parser)
  Object.assign(parser, { execute: (bytes: Buffer) => execute(bytes) - 1 })
  line.socket.write(BODY.subarray(4 * MIB))
  await waitFor(() => line.ended || line.socket.destroyed)
  expect(line.text).toBe('')
  await waitFor(() => server.requests[0]?.outcome !== undefined)
  Reflect.deleteProperty(parser, 'execute')
})

test('hundreds of requests that end in every way leave no socket, descriptor or memory behind', async () => {
  const take = vi.spyOn(SocketReader, 'take')
  const before = ownFds()
  for (let n = 0; n < 60; n++) {
    const round = Array.from({ length: 5 }, () => server.line())
    await Promise.all(
      round.map(async (line, way) => {
        line.head(2 * MIB)
        if (way === 0) await line.write(BODY.subarray(0, 2 * MIB)).then(() => line.answer(1))
        else await line.write(BODY.subarray(0, MIB + 300_000 * (way % 3)))
        if (way % 2 === 0) line.socket.destroy()
        else line.socket.resetAndDestroy()
      }),
    )
    // Copies of all bodies would be hundreds of MiB.
    for (const { sink, outcome } of server.requests) if (outcome !== undefined) sink.chunks = []
  }
  expect(take.mock.results.filter(({ value }) => value !== undefined).length).toBeGreaterThan(0)
  await waitFor(() => server.connections().then((count) => count === 0))
  await waitFor(() => ownFds() <= before, { what: 'all descriptors to be closed' })
})
