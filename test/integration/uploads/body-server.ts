// A server that receives bodies as the service does, without its Redis and its store, and clients that send by hand.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { hasCode } from '../../../src/core/errors.ts'
import { acceptBody, holdContinue, refuseClient } from '../../../src/http/server-answers.ts'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { Receiver, type ReceiverOptions } from '../../../src/uploads/receive.ts'
import { SLAB_BYTES } from '../../../src/uploads/slabs.ts'
import type { Sink } from '../../../src/uploads/stores/port.ts'
import { noise, sha256 } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'

export const MIB = 1024 ** 2
export const BUDGET_BYTES = 32 * MIB
export const BODY = noise(6 * MIB, 'body')

/** Keeps a copy, and makes the memory that it gives back useless at once. */
class TestSink implements Sink {
  position = 0
  durable = 0
  chunks: Buffer[] = []
  /** Something came from below node:http. */
  below = false
  /** Awaited before each write. */
  gate: Promise<void> | undefined
  readonly #budget: ByteBudget

  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    await this.gate
    for (const chunk of chunks) {
      this.chunks.push(Buffer.from(chunk))
      if (chunk.buffer.byteLength === SLAB_BYTES) this.below = true
      chunk.fill('x')
    }
    this.position += bytes
    this.#budget.releaseChunks(chunks, bytes)
  }

  flush(): Promise<void> {
    this.durable = this.position
    return Promise.resolve()
  }

  complete = () => this.flush()
  close = () => Promise.resolve()
}

/** `outcome`: how its body ended, once it was answered. */
type Request = { request: IncomingMessage; sink: TestSink; receiver: Receiver; outcome: string | undefined }

/** The outcome of a body that arrived as it was sent. */
export const complete = (body: Buffer) => `complete ${body.length} ${sha256(body)}`

export class BodyServer {
  readonly budget = new ByteBudget(BUDGET_BYTES, { receiveBudget: { set: () => undefined } })
  readonly requests: Request[] = []
  readonly #server: Server
  readonly #lines: Line[] = []
  /** What the next requests get. */
  options: Partial<ReceiverOptions> = {}
  gate: Promise<void> | undefined
  answer: string | Buffer = 'answer'
  /** Awaited between a body and its answer. */
  beforeAnswer: Promise<void> | undefined

  constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response))
    holdContinue(this.#server)
    this.#server.on('clientError', refuseClient)
    // A connection that its client has left must not be closed by this instead.
    this.#server.keepAliveTimeout = 0
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  /** Expects that all memory was given back, and that no connection is open. */
  async close(): Promise<void> {
    for (const { socket } of this.#lines) socket.destroy()
    await waitFor(async () => (await this.connections()) === 0, { what: 'all connections to be closed' })
    await waitFor(() => this.requests.every(({ outcome }) => outcome !== undefined), { what: 'all requests to end' })
    const { budget } = this
    expect({ used: budget.used, slabs: budget.slabs.bytes }).toEqual({ used: 0, slabs: 0 })
    await new Promise((resolve) => this.#server.close(resolve))
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
  }

  /** One connection of a client. */
  line(allowHalfOpen = false): Line {
    const { port } = this.#server.address() as AddressInfo
    const line = new Line(this, connect({ port, host: '127.0.0.1', allowHalfOpen }))
    this.#lines.push(line)
    return line
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    acceptBody(request, response)
    const sink = new TestSink(this.budget)
    sink.gate = this.gate
    const receiver = new Receiver(request, sink, {
      limitBytes: 100 * MIB,
      idleTimeoutMs: 60_000,
      budget: this.budget,
      readsSockets: true,
      onBytes: () => undefined,
      checkpoint: () => sink.flush(),
      ...this.options,
    })
    const one: Request = { request, sink, receiver, outcome: undefined }
    this.requests.push(one)
    const answer = (outcome: string) => {
      response.setHeader('X-Outcome', `${outcome} ${sink.position} ${sha256(Buffer.concat(sink.chunks))}`)
      response.end(this.answer)
      request.resume()
      one.outcome = outcome
    }
    // The service asks Redis first, while the first bytes arrive.
    delay(5)
      .then(() => receiver.run())
      .then(async (end) => {
        await this.beforeAnswer
        answer(end)
      })
      .catch((error: unknown) => answer(hasCode(error, 'UPLOAD_LENGTH_EXCEEDED') ? error.code : String(error)))
  }
}

/** One connection of a client. */
export class Line {
  readonly socket: Socket
  readonly #server: BodyServer
  text = ''
  ended = false

  constructor(server: BodyServer, socket: Socket) {
    this.#server = server
    this.socket = socket
    socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('end', () => {
      this.ended = true
    })
  }

  /** Waits for the answer to the nth request; resolves with its outcome, the bytes that were kept and their SHA-256. */
  async answer(n: number): Promise<string> {
    const outcomes = () => [...this.text.matchAll(/X-Outcome: (.*)\r\n/g)].map(([, outcome]) => outcome ?? '')
    return await waitFor(() => outcomes()[n - 1], { what: `answer ${n}`, intervalMs: 5 })
  }

  head(length: number, more = ''): void {
    this.socket.write(`PATCH /files/a HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`)
  }

  async write(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()))
  }

  patch(body: Buffer): void {
    this.head(body.length)
    this.socket.write(body)
  }

  /** Sends the beginning of a body, 4 MiB, and waits until it is read below node:http. */
  async begin(length = BODY.length): Promise<Request> {
    const { requests } = this.#server
    const first = requests.length
    this.head(length)
    await this.write(BODY.subarray(0, 4 * MIB))
    return await waitFor(() => requests[first]?.sink.below === true && requests[first], { what: 'the reader' })
  }
}
