// Bodies that are read below node:http, on real connections: every byte where it belongs, the next request where it begins, and
// no more memory than there is.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SLAB_BYTES } from '../../../src/uploads/slabs.ts'
import { noise } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'
import { BODY, BodyServer, BUDGET_BYTES, complete, MIB } from './body-server.ts'

let server: BodyServer

beforeEach(async () => {
  server = new BodyServer()
  await server.start()
})
afterEach(() => server.close())

test('a large body arrives as it was sent, and most of it below node:http', async () => {
  const line = server.line()
  line.patch(BODY)
  expect(await line.answer(1)).toBe(complete(BODY))
  expect(server.requests[0]?.sink.below).toBe(true)
})

test('bodies in pieces of any size', async () => {
  let at = 0
  for (const size of [1, 70_000, 3, SLAB_BYTES, 1_000_001, 65_536, 7]) {
    const line = server.line()
    line.head(BODY.length)
    for (at = 0; at < BODY.length; at += size * 16 + 65_536)
      await line.write(BODY.subarray(at, Math.min(BODY.length, at + size * 16 + 65_536)))
    expect(await line.answer(1)).toBe(complete(BODY))
  }
})

describe('the next request on the connection', () => {
  test('is another body, a request without one, or both at once with the end of the body before', async () => {
    const line = server.line()
    line.patch(BODY)
    await line.answer(1)
    line.patch(BODY.subarray(1))
    expect(await line.answer(2)).toBe(complete(BODY.subarray(1)))
    line.socket.write('HEAD /files/a HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await line.answer(3)).toBe(complete(Buffer.alloc(0)))
    line.patch(BODY)
    line.patch(BODY.subarray(2))
    line.socket.write('HEAD /files/a HTTP/1.1\r\nHost: a\r\n\r\n')
    line.patch(Buffer.from('little'))
    expect(await line.answer(4)).toBe(complete(BODY))
    expect(await line.answer(5)).toBe(complete(BODY.subarray(2)))
    expect(await line.answer(6)).toBe(complete(Buffer.alloc(0)))
    expect(await line.answer(7)).toBe(complete(Buffer.from('little')))
    expect(server.requests.map(({ sink }) => sink.below)).toEqual([true, true, false, true, true, false, false])
  })

  test('comes with the last bytes of a body, in one piece', async () => {
    const line = server.line()
    await line.begin()
    await line.write(Buffer.concat([BODY.subarray(4 * MIB), Buffer.from('GET /b HTTP/1.1\r\nHost: a\r\n\r\n')]))
    expect(await line.answer(1)).toBe(complete(BODY))
    expect(await line.answer(2)).toBe(complete(Buffer.alloc(0)))
    expect(server.requests[1]?.request.url).toBe('/b')
  })

  test('after a hundred uploads in turn is the next upload', async () => {
    const line = server.line()
    for (let n = 1; n <= 100; n++) {
      const body = BODY.subarray(n, n + MIB + n)
      line.patch(body)
      expect(await line.answer(n)).toBe(complete(body))
    }
    expect(server.requests.filter(({ sink }) => sink.below).length).toBeGreaterThan(50)
    expect(await server.connections()).toBe(1)
  })

  test('that asks for a tunnel ends the connection', async () => {
    const line = server.line()
    line.patch(BODY)
    await line.answer(1)
    line.socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')
    line.socket.write(BODY)
    await waitFor(() => line.ended || line.socket.destroyed)
  })

  test('is a body, while the client has not read the answer before: the HTTP server has paused its parser', async () => {
    server.answer = Buffer.alloc(8 * MIB, 'answer')
    const line = server.line()
    line.socket.pause()
    line.socket.write('GET /files/a HTTP/1.1\r\nHost: a\r\n\r\n')
    await waitFor(() => server.requests[0]?.outcome !== undefined)
    line.patch(BODY)
    await waitFor(() => server.requests.length === 2)
    line.socket.resume()
    expect(await line.answer(2)).toBe(complete(BODY))
  })

  test('that is no request ends the connection after the answer', async () => {
    const line = server.line()
    line.head(BODY.length)
    await line.write(Buffer.concat([BODY, Buffer.from('more than was said\r\n\r\n')]))
    expect(await line.answer(1)).toBe(complete(BODY))
    await waitFor(() => line.ended)
  })
})

test('a client that waits for 100 Continue', async () => {
  const line = server.line()
  line.head(BODY.length, 'Expect: 100-continue\r\n')
  await waitFor(() => line.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
  line.socket.write(BODY)
  expect(await line.answer(1)).toBe(complete(BODY))
})

test('a slow disk pauses the socket, with little memory, and all bytes arrive', async () => {
  const line = server.line()
  const { sink } = await line.begin(3 * BODY.length)
  line.socket.write(BODY.subarray(4 * MIB))
  for (let round = 0; round < 2; round++) {
    let open: () => void = () => undefined
    sink.gate = new Promise((resolve) => {
      open = resolve
    })
    line.socket.write(BODY)
    await waitFor(() => server.budget.used >= 4 * SLAB_BYTES, { what: 'bytes to wait for the sink' })
    // What could be read would be read by then.
    for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    // Four slabs wait, four are being written, and one was being read.
    expect(server.budget.used).toBeLessThanOrEqual(9 * SLAB_BYTES)
    open()
  }
  expect(await line.answer(1)).toBe(complete(Buffer.concat([BODY, BODY, BODY])))
})

test('where memory is short, a fast client has no slab of its own', async () => {
  const line = server.line()
  const { sink } = await line.begin()
  const others = BUDGET_BYTES / 2 + 1
  server.budget.reserve(others)
  await line.write(BODY.subarray(4 * MIB, 5 * MIB))
  await waitFor(() => sink.position === 5 * MIB)
  expect(server.budget.slabs.bytes).toBe(0)
  server.budget.release(others)
  await line.write(BODY.subarray(5 * MIB))
  expect(await line.answer(1)).toBe(complete(BODY))
})

test('a client that becomes slow holds no memory; it may become fast again', async () => {
  const line = server.line()
  const { sink } = await line.begin(3 * BODY.length)
  await waitFor(() => server.budget.slabs.bytes === 0, { what: 'its slab to be given back' })
  expect(sink.position).toBe(4 * MIB)
  line.socket.write(BODY.subarray(4 * MIB))
  line.socket.write(BODY)
  line.socket.write(BODY)
  expect(await line.answer(1)).toBe(complete(Buffer.concat([BODY, BODY, BODY])))
})

test('slow clients share memory, and each gets its own bytes', async () => {
  const PIECE_BYTES = 3000
  const PIECES = 5
  const clients = Array.from({ length: 40 }, (_, nth) => ({ line: server.line(), body: noise(MIB, `client ${nth}`) }))
  for (const { line } of clients) line.head(MIB)
  await waitFor(() => server.requests.length === clients.length, { what: 'all requests' })
  let mostBytes = 0
  for (let piece = 0; piece < PIECES; piece++) {
    for (const { line, body } of clients)
      line.socket.write(body.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES))
    const haveArrived = () => {
      mostBytes = Math.max(mostBytes, server.budget.slabs.bytes)
      return server.requests.every(({ receiver }) => receiver.receivedBytes === (piece + 1) * PIECE_BYTES)
    }
    await waitFor(haveArrived, { what: 'the pieces to arrive', intervalMs: 1 })
  }
  expect(mostBytes).toBeGreaterThan(0)
  expect(mostBytes).toBeLessThanOrEqual(4 * SLAB_BYTES)
  for (const { line, body } of clients) line.socket.write(body.subarray(PIECES * PIECE_BYTES))
  for (const { line, body } of clients) expect(await line.answer(1)).toBe(complete(body))
})

test('chunked bodies, and small ones, go through node:http', async () => {
  const line = server.line()
  line.socket.write('PATCH /files/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  line.socket.write(`${BODY.length.toString(16)}\r\n`)
  line.socket.write(BODY)
  line.socket.write('\r\n0\r\n\r\n')
  expect(await line.answer(1)).toBe(complete(BODY))
  line.patch(BODY.subarray(0, 300_000))
  expect(await line.answer(2)).toBe(complete(BODY.subarray(0, 300_000)))
  expect(server.requests.map(({ sink }) => sink.below)).toEqual([false, false])
})
