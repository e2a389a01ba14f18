// Where the bytes of a body come from: the socket below node:http (socket-reader.ts) where that is possible, node:http otherwise.

import type { IncomingMessage } from 'node:http'
import type { ByteBudget } from './budget.ts'
import { SocketReader } from './socket-reader.ts'

/** A client that sends less from one tick to the next is slow. */
const FAST_TICK_BYTES = 512 * 1024

export class BodySource {
  readonly #request: IncomingMessage
  readonly #budget: ByteBudget
  readonly #readsSockets: boolean
  readonly #onChunk: (chunk: Buffer) => void
  #reader: SocketReader | undefined
  #paused = false
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
    request.on('data', this.#pass)
    this.#takeSocket()
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
    const isSlow = !this.#paused && this.#received - this.#tickBytes < FAST_TICK_BYTES
    this.#tickBytes = this.#received
    if (!isSlow || this.#reader?.holdsSlab !== true) return
    // The memory of the next read is already named: a new reader names that of slow clients.
    this.#reader.giveBack()
    this.#takeSocket()
  }

  /** No more chunks; the request is paused with an unread rest. */
  stop(): void {
    this.#reader?.giveBack()
    this.#request.off('data', this.#pass)
    this.#request.pause()
  }

  get #current(): Pick<SocketReader, 'pause' | 'resume'> {
    return this.#reader?.active === true ? this.#reader : this.#request
  }

  #pass = (chunk: Buffer): void => {
    this.#received += chunk.length
    this.#onChunk(chunk)
  }

  #takeSocket(): void {
    if (!this.#readsSockets || this.#paused) return
    this.#reader = SocketReader.take(this.#request, this.#received, this.#budget, this.#pass)
  }
}
