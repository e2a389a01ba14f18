// A light client: one socket, request heads written as raw bytes, one buffer sent repeatedly.

import { connect, type Socket } from 'node:net'
import type { Response } from '../../conformance/wire/message.ts'
import { parseResponse } from '../../conformance/wire/parse.ts'
import { createPayload } from './payload.ts'

export type { Response } from '../../conformance/wire/message.ts'
export { field } from '../../conformance/wire/message.ts'

const PAYLOAD = createPayload()
/** Number of writes queued at the same time, so that the socket never waits for data. */
const WRITES_AHEAD = 2
const NOTHING = Buffer.alloc(0)

export class Wire {
  readonly #socket: Socket
  #received: Buffer = NOTHING
  #broken: string | undefined
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    socket.on('error', (error) => this.#break(error.message))
    socket.on('end', () => this.#break('the server closed the connection'))
    socket.on('close', () => this.#break('the connection is closed'))
  }

  /** Connects to 127.0.0.1. */
  static open(port: number, timeoutMs = 10_000): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true, timeout: timeoutMs })
      socket.once('error', reject)
      socket.once('timeout', () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)))
      socket.once('connect', () => {
        socket.setTimeout(0)
        socket.off('error', reject)
        resolve(new Wire(socket))
      })
    })
  }

  /** True once the connection is closed. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  send(data: string | Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(data as string, 'latin1')
  }

  /** Sends this many bytes of payload; the position in it does not matter, because they are not read back. */
  sendPayload(bytes: number): void {
    this.send(PAYLOAD.subarray(0, bytes))
  }

  /**
   * Sends `bytes` of payload as fast as the server accepts them. Resolves when the kernel has accepted all, or earlier
   * after a response or a disconnect; `answer` returns which. With `writeBytes`: in writes of this size, each after the
   * previous one has finished, as a reverse proxy does.
   */
  async pour(bytes: number, writeBytes?: number): Promise<void> {
    const whole = writeBytes === undefined ? PAYLOAD : PAYLOAD.subarray(0, writeBytes)
    const most = writeBytes === undefined ? WRITES_AHEAD : 1
    let left = bytes
    let ahead = 0
    const over = () => this.#received.length > 0 || this.broken
    while ((left > 0 || ahead > 0) && !over()) {
      while (left > 0 && ahead < most) {
        const piece = left < whole.length ? whole.subarray(0, left) : whole
        left -= piece.length
        ahead++
        this.#socket.write(piece, () => {
          ahead--
          this.#wake?.()
        })
      }
      await this.#change()
    }
  }

  /** The next final response. `method` is the request's: HEAD has no body. */
  async answer(method: string, timeoutMs = 60_000): Promise<Response> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#wake?.()
    }, timeoutMs)
    try {
      for (;;) {
        const parsed = parseResponse(this.#received, method, this.broken)
        if (parsed !== undefined) {
          this.#received = this.#received.subarray(parsed.consumed)
          if (parsed.response.status >= 200) return parsed.response
          continue // 100 Continue and the like
        }
        if (this.#broken !== undefined) throw new Error(`${method}: no response, ${this.#broken}`)
        if (late) throw new Error(`${method}: no response within ${timeoutMs} ms`)
        await this.#change()
      }
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #break(why: string): void {
    this.#broken ??= why
    this.#wake?.()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
