// A client that costs little: one socket, heads written as they are, one buffer sent over and over.

import { connect, type Socket } from 'node:net'
import type { Response } from '../../conformance/wire/message.ts'
import { parseResponse } from '../../conformance/wire/parse.ts'
import { createPayload } from './payload.ts'

export type { Response } from '../../conformance/wire/message.ts'
export { field } from '../../conformance/wire/message.ts'

const PAYLOAD = createPayload()
/** Writes given to the kernel at a time: the next one is there when a socket has room. */
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

  /** True once nothing more can come. */
  get broken(): boolean {
    return this.#broken !== undefined
  }

  send(data: string | Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(data as string, 'latin1')
  }

  /** Sends so many bytes of payload; a position in it need not be kept, since nobody reads them back. */
  sendPayload(bytes: number): void {
    this.send(PAYLOAD.subarray(0, bytes))
  }

  /**
   * Sends `bytes` of payload as fast as the server takes them. Resolves when the kernel has taken all, or earlier when
   * an answer has come or the connection is gone: `answer` tells. With `writeBytes` in writes of this size, each when
   * the one before is through: as what stands in front of a server passes things on.
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
        if (this.#broken !== undefined) throw new Error(`${method}: no answer, ${this.#broken}`)
        if (late) throw new Error(`${method}: no answer within ${timeoutMs} ms`)
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
