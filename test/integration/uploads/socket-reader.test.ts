// Bodies that are read below node:http, on real connections: every byte where it belongs, the next request where it begins, and
// nothing left behind, whatever a client does.

import { readdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hasCode } from '../../../src/core/errors.ts'
import { acceptBody, holdContinue, refuseClient } from '../../../src/http/server-answers.ts'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { Receiver, type ReceiverOptions } from '../../../src/uploads/receive.ts'
import { SLAB_BYTES } from '../../../src/uploads/slabs.ts'
import { SocketReader } from '../../../src/uploads/socket-reader.ts'
import type { Sink } from '../../../src/uploads/stores/port.ts'
import { noise, sha256 } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'

const MIB = 1024 ** 2
const BUDGET_BYTES = 32 * MIB
const BODY = noise(6 * MIB, 'body')

/** Keeps a copy, and makes the memory that it gives back useless at once. */
class TestSink implements Sink {
  position = 0
  durable = 0
  chunks: Buffer[] = []
  below = false
  gate: Promise<void> | undefined

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    await this.gate
    for (const chunk of chunks) {
      this.chunks.push(Buffer.from(chunk))
      if (chunk.buffer.byteLength === SLAB_BYTES) this.below = true
      chunk.fill('x')
    }
    this.position += bytes
    budget.releaseChunks(chunks, bytes)
  }

  flush(): Promise<void> {
    this.durable = this.position
    return Promise.resolve()
  }

  complete = () => this.flush()
  close = () => Promise.resolve()
}

type Request = { request: IncomingMessage; sink: TestSink; receiver: Receiver; outcome: string | undefined }

let budget: ByteBudget
let server: Server
let requests: Request[]
let lines: Line[]
/** What the next requests get. */
let options: Partial<ReceiverOptions>
let gate: Promise<void> | undefined
/** Awaited between a body and its answer. */
let beforeAnswer: Promise<void> | undefined

beforeEach(async () => {
  budget = new ByteBudget(BUDGET_BYTES, { receiveBudget: { set: () => undefined } })
  requests = []
  lines = []
  options = {}
  gate = undefined
  beforeAnswer = undefined
  server = createServer(serve)
  holdContinue(server)
  server.on('clientError', refuseClient)
  // A connection that its client has left must not be closed by this instead.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

/** Each test: all memory was given back, and no connection is open. */
afterEach(async () => {
  for (const { socket } of lines) socket.destroy()
  await waitFor(() => connections().then((count) => count === 0), { what: 'all connections to be closed' })
  await waitFor(() => requests.every(({ outcome }) => outcome !== undefined), { what: 'all requests to end' })
  expect({ used: budget.used, slabs: budget.slabs.bytes }).toEqual({ used: 0, slabs: 0 })
  await new Promise((resolve) => server.close(resolve))
  vi.restoreAllMocks()
})

function serve(request: IncomingMessage, response: ServerResponse): void {
  acceptBody(request, response)
  const sink = new TestSink()
  sink.gate = gate
  const receiver = new Receiver(request, sink, {
    limitBytes: 100 * MIB,
    idleTimeoutMs: 60_000,
    budget,
    readsSockets: true,
    onBytes: () => undefined,
    checkpoint: () => sink.flush(),
    ...options,
  })
  const one: Request = { request, sink, receiver, outcome: undefined }
  requests.push(one)
  const answer = (outcome: string) => {
    response.setHeader('X-Outcome', `${outcome} ${sink.position} ${sha256(Buffer.concat(sink.chunks))}`)
    response.end('answer')
    request.resume()
    one.outcome = outcome
  }
  // The service asks Redis first, while the first bytes arrive.
  delay(5)
    .then(() => receiver.run())
    .then(async (end) => {
      await beforeAnswer
      answer(end)
    })
    .catch((error: unknown) => answer(hasCode(error, 'UPLOAD_LENGTH_EXCEEDED') ? error.code : String(error)))
}

const connections = () =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )

/** One connection of a client. */
class Line {
  readonly socket: Socket
  text = ''
  ended = false

  constructor(allowHalfOpen = false) {
    this.socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen })
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1')
    })
    this.socket.on('error', () => undefined)
    this.socket.on('end', () => {
      this.ended = true
    })
    lines.push(this)
  }

  get outcomes(): string[] {
    return [...this.text.matchAll(/X-Outcome: (.*)\r\n/g)].map(([, outcome]) => outcome ?? '')
  }

  /** Waits for the answer to the nth request. */
  async answer(n: number): Promise<string> {
    await waitFor(() => this.text.split('HTTP/1.1 200').length > n, { what: `answer ${n}`, intervalMs: 5 })
    return await waitFor(() => this.outcomes[n - 1])
  }

  head(length: number, more = ''): void {
    this.socket.write(`PATCH /files/a HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`)
  }

  async write(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()))
  }

  patch(body: Buffer, more = ''): void {
    this.head(body.length, more)
    this.socket.write(body)
  }

  /** Sends the beginning of a body, and waits until it is read below node:http. */
  async begin(length = BODY.length): Promise<Request> {
    const first = requests.length
    this.head(length)
    await this.write(BODY.subarray(0, 4 * MIB))
    return await waitFor(() => requests[first]?.sink.below === true && requests[first], { what: 'the reader' })
  }
}

const complete = (body: Buffer) => `complete ${body.length} ${sha256(body)}`
const ownFds = () => readdirSync('/proc/self/fd').length

test('a large body arrives as it was sent, and most of it below node:http', async () => {
  const line = new Line()
  line.patch(BODY)
  expect(await line.answer(1)).toBe(complete(BODY))
  expect(requests[0]?.sink.below).toBe(true)
})

test('bodies in pieces of any size', async () => {
  let at = 0
  for (const size of [1, 70_000, 3, SLAB_BYTES, 1_000_001, 65_536, 7]) {
    const line = new Line()
    line.head(BODY.length)
    for (at = 0; at < BODY.length; at += size * 16 + 65_536)
      await line.write(BODY.subarray(at, Math.min(BODY.length, at + size * 16 + 65_536)))
    expect(await line.answer(1)).toBe(complete(BODY))
  }
})

describe('the next request on the connection', () => {
  test('is another body, a request without one, or both at once with the end of the body before', async () => {
    const line = new Line()
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
    expect(requests.map(({ sink }) => sink.below)).toEqual([true, true, false, true, true, false, false])
  })

  test('comes with the last bytes of a body, in one piece', async () => {
    const line = new Line()
    await line.begin()
    await line.write(Buffer.concat([BODY.subarray(4 * MIB), Buffer.from('GET /b HTTP/1.1\r\nHost: a\r\n\r\n')]))
    expect(await line.answer(1)).toBe(complete(BODY))
    expect(await line.answer(2)).toBe(complete(Buffer.alloc(0)))
    expect(requests[1]?.request.url).toBe('/b')
  })

  test('after a hundred uploads in turn is the next upload', async () => {
    const line = new Line()
    for (let n = 1; n <= 100; n++) {
      const body = BODY.subarray(n, n + MIB + n)
      line.patch(body)
      expect(await line.answer(n)).toBe(complete(body))
    }
    expect(requests.filter(({ sink }) => sink.below).length).toBeGreaterThan(50)
    expect(await connections()).toBe(1)
  })

  test('that asks for a tunnel ends the connection', async () => {
    const line = new Line()
    line.patch(BODY)
    await line.answer(1)
    line.socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')
    line.socket.write(BODY)
    await waitFor(() => line.ended || line.socket.destroyed)
  })

  test('that is no request ends the connection after the answer', async () => {
    const line = new Line()
    line.head(BODY.length)
    await line.write(Buffer.concat([BODY, Buffer.from('more than was said\r\n\r\n')]))
    expect(await line.answer(1)).toBe(complete(BODY))
    await waitFor(() => line.ended)
  })
})

test('a client that waits for 100 Continue', async () => {
  const line = new Line()
  line.head(BODY.length, 'Expect: 100-continue\r\n')
  await waitFor(() => line.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
  line.socket.write(BODY)
  expect(await line.answer(1)).toBe(complete(BODY))
})

describe('a client that half-closes', () => {
  test('after its body gets its answer', async () => {
    const line = new Line(true)
    line.head(BODY.length)
    line.socket.end(BODY)
    expect(await line.answer(1)).toBe(complete(BODY))
    await waitFor(() => line.ended)
  })

  test('within its body is told, and what it sent is kept', async () => {
    const line = new Line(true)
    const { sink } = await line.begin()
    line.socket.end()
    await waitFor(() => requests[0]?.outcome === 'gone')
    expect(Buffer.concat(sink.chunks).equals(BODY.subarray(0, 4 * MIB))).toBe(true)
    await waitFor(() => line.ended)
    expect(line.text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })
})

describe('a client that resets its connection', () => {
  const reset = ({ socket }: Line) => void socket.resetAndDestroy()

  test('within the body: what it sent is kept', async () => {
    const line = new Line()
    const { sink } = await line.begin()
    await waitFor(() => sink.position === 4 * MIB)
    reset(line)
    await waitFor(() => requests[0]?.outcome === 'gone')
    expect(Buffer.concat(sink.chunks).equals(BODY.subarray(0, 4 * MIB))).toBe(true)
  })

  test('while the disk is slow and it is not read', async () => {
    let open: () => void = () => undefined
    gate = new Promise((resolve) => {
      open = resolve
    })
    const line = new Line()
    line.patch(BODY)
    await waitFor(() => budget.used >= 512 * 1024)
    reset(line)
    open()
    await waitFor(() => requests[0]?.outcome === 'gone')
  })

  test('between its body and the answer', async () => {
    let open: () => void = () => undefined
    beforeAnswer = new Promise((resolve) => {
      open = resolve
    })
    const line = new Line()
    line.patch(BODY)
    await waitFor(() => requests[0]?.sink.position === BODY.length)
    reset(line)
    await waitFor(() => connections().then((count) => count === 0))
    open()
    await waitFor(() => requests[0]?.outcome === 'complete')
  })
})

test('a client that sends less than it said, and waits, is cut by the idle time-out; its bytes are kept', async () => {
  options = { idleTimeoutMs: 300 }
  const line = new Line()
  const { sink } = await line.begin()
  expect(await line.answer(1)).toMatch(/^gone 4194304 /)
  expect(Buffer.concat(sink.chunks).equals(BODY.subarray(0, 4 * MIB))).toBe(true)
})

test('a body that is too long is refused; the rest of it is not taken for the next request', async () => {
  options = { limitBytes: 5 * MIB }
  const line = new Line()
  line.patch(BODY)
  expect(await line.answer(1)).toMatch(/^UPLOAD_LENGTH_EXCEEDED /)
  options = {}
  line.patch(BODY)
  expect(await line.answer(2)).toBe(complete(BODY))
})

test.each(['stop', 'leave'] as const)('%s: the rest of the body is not taken for the next request', async (how) => {
  const line = new Line()
  const { receiver, sink } = await line.begin()
  await receiver[how]()
  expect(await line.answer(1)).toMatch(/^stopped /)
  expect(budget.slabs.bytes).toBe(0)
  const kept = Buffer.concat(sink.chunks)
  expect(kept.equals(BODY.subarray(0, kept.length))).toBe(true)
  line.socket.write(BODY.subarray(4 * MIB))
  line.patch(BODY)
  expect(await line.answer(2)).toBe(complete(BODY))
})

test('a slow disk pauses the socket, with little memory, and all bytes arrive', async () => {
  const line = new Line()
  const { sink } = await line.begin(3 * BODY.length)
  line.socket.write(BODY.subarray(4 * MIB))
  for (let round = 0; round < 2; round++) {
    let open: () => void = () => undefined
    sink.gate = new Promise((resolve) => {
      open = resolve
    })
    line.socket.write(BODY)
    await waitFor(() => budget.used >= 2 * SLAB_BYTES, { what: 'bytes to wait for the sink' })
    // What could be read would be read by then.
    for (let turn = 0; turn < 50; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    // Two slabs wait, two are being written, and one was being read.
    expect(budget.used).toBeLessThanOrEqual(5 * SLAB_BYTES)
    open()
  }
  expect(await line.answer(1)).toBe(complete(Buffer.concat([BODY, BODY, BODY])))
})

test('where memory is short, bodies go through node:http, and change to and fro', async () => {
  const line = new Line()
  const { sink } = await line.begin()
  const others = BUDGET_BYTES / 2 + 1
  budget.reserve(others)
  await line.write(BODY.subarray(4 * MIB, 5 * MIB))
  await waitFor(() => sink.position === 5 * MIB)
  expect(budget.slabs.bytes).toBe(0)
  budget.release(others)
  await line.write(BODY.subarray(5 * MIB))
  expect(await line.answer(1)).toBe(complete(BODY))
})

test('a client that becomes slow holds no memory; it may become fast again', async () => {
  const line = new Line()
  const { sink } = await line.begin(3 * BODY.length)
  await waitFor(() => budget.slabs.bytes === 0, { what: 'its slab to be given back' })
  expect(sink.position).toBe(4 * MIB)
  line.socket.write(BODY.subarray(4 * MIB))
  line.socket.write(BODY)
  line.socket.write(BODY)
  expect(await line.answer(1)).toBe(complete(Buffer.concat([BODY, BODY, BODY])))
})

test('chunked bodies, and small ones, go through node:http', async () => {
  const line = new Line()
  line.socket.write('PATCH /files/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  line.socket.write(`${BODY.length.toString(16)}\r\n`)
  line.socket.write(BODY)
  line.socket.write('\r\n0\r\n\r\n')
  expect(await line.answer(1)).toBe(complete(BODY))
  line.patch(BODY.subarray(0, 300_000))
  expect(await line.answer(2)).toBe(complete(BODY.subarray(0, 300_000)))
  expect(requests.map(({ sink }) => sink.below)).toEqual([false, false])
})

test('a parser that is not where it should be ends the connection, and nothing after it counts', async () => {
  const line = new Line()
  const { request } = await line.begin()
  const { parser } = request.socket as unknown as { parser: { execute(bytes: Buffer): number } }
  const execute = parser.execute.bind(parser)
  Object.assign(parser, { execute: (bytes: Buffer) => execute(bytes) - 1 })
  line.socket.write(BODY.subarray(4 * MIB))
  await waitFor(() => line.ended || line.socket.destroyed)
  expect(line.text).toBe('')
  await waitFor(() => requests[0]?.outcome !== undefined)
  Reflect.deleteProperty(parser, 'execute')
})

test('hundreds of requests that end in every way leave no socket, descriptor or memory behind', async () => {
  const take = vi.spyOn(SocketReader, 'take')
  const before = ownFds()
  for (let n = 0; n < 60; n++) {
    const round = Array.from({ length: 5 }, () => new Line())
    await Promise.all(
      round.map(async (line, way) => {
        line.head(2 * MIB)
        if (way === 0) await line.write(BODY.subarray(0, 2 * MIB)).then(() => line.answer(1))
        else await line.write(BODY.subarray(0, MIB + 300_000 * (way % 3)))
        if (way % 2 === 0) line.socket.destroy()
        else line.socket.resetAndDestroy()
      }),
    )
  }
  expect(take.mock.results.filter(({ value }) => value !== undefined).length).toBeGreaterThan(0)
  await waitFor(() => connections().then((count) => count === 0))
  await waitFor(() => ownFds() <= before, { what: 'all descriptors to be closed' })
})
