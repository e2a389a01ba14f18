// Where the bytes of a body come from: node:http, or the socket below it (socket-reader.ts) while a client sends faster than
// node:http reads. A slow client is never read there, so it holds no memory.

import type { IncomingMessage } from 'node:http'
import type { ByteBudget } from './budget.ts'
import { FULL_READ_BYTES, SocketReader } from './socket-reader.ts'

/** A client that sends less from one tick to the next is slow. */
const FAST_TICK_BYTES = 512 * 1024

export class BodySource {
  readonly #request: IncomingMessage
  readonly #budget: ByteBudget
  readonly #readsSockets: boolean
  readonly #onChunk: (chunk: Buffer) => void
  /** Active while the socket is read below node:http. */
  #reader: SocketReader | undefined
  #readerIsDue = false
  #paused = false
  #stopped = false
  /** Bytes of the body so far, and at the last tick. */
  #received = 0
  #tickBytes = 0

  /**
   * @param readsSockets false: every byte comes through node:http
   * @param onChunk gets chunks in order, to be released with `budget.releaseChunks` or `budget.slabs.giveBack`
   */
  constructor(request: IncomingMessage, budget: ByteBudget, readsSockets: boolean, onChunk: (chunk: Buffer) => void) {
    this.#request = request
    this.#budget = budget
    this.#readsSockets = readsSockets
    this.#onChunk = onChunk
  }

  /** Not within an event of the request. */
  start(): void {
    const request = this.#request
    // What arrived while the lock was being acquired.
    for (let chunk = request.read(); chunk !== null; chunk = request.read()) this.#pass(chunk)
    request.on('data', this.#onData)
    if (this.#received >= FULL_READ_BYTES) this.#startReader()
  }

  pause(): void {
    this.#paused = true
    this.#current.pause()
  }

  resume(): void {
    this.#paused = false
    this.#current.resume()
  }

  /** To be called about once a second. */
  tick(): void {
    if (!this.#paused && this.#received - this.#tickBytes < FAST_TICK_BYTES) this.#reader?.giveBack()
    this.#tickBytes = this.#received
  }

  /** No more chunks; the request is paused with an unread rest. */
  stop(): void {
    this.#stopped = true
    this.#reader?.giveBack()
    this.#request.off('data', this.#onData)
    this.#request.pause()
  }

  get #current(): Pick<SocketReader, 'pause' | 'resume'> {
    return this.#reader?.active === true ? this.#reader : this.#request
  }

  #pass = (chunk: Buffer): void => {
    this.#received += chunk.length
    this.#onChunk(chunk)
  }

  #onData = (chunk: Buffer): void => {
    if (chunk.length >= FULL_READ_BYTES && !this.#readerIsDue && this.#readsSockets) {
      this.#readerIsDue = true
      // The HTTP parser, which calls this, must have finished what it has read.
      setImmediate(() => {
        this.#readerIsDue = false
        this.#startReader()
      })
    }
    this.#pass(chunk)
  }

  #startReader(): void {
    if (!this.#readsSockets || this.#paused || this.#stopped || this.#reader?.active === true) return
    this.#reader = SocketReader.take(this.#request, this.#received, this.#budget, this.#pass)
    this.#tickBytes = this.#received
  }
}
