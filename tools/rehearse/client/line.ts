// A client's connection: requests as raw bytes, a body at the speed of the connection, and all the ways it can break.

import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Response } from '../../conformance/wire/message.ts'
import { parseResponse } from '../../conformance/wire/parse.ts'
import type { Pacer } from './pacer.ts'

const NOTHING = Buffer.alloc(0)
const CONNECT_MS = 10_000
/** Bytes that the kernel has not accepted yet: the buffer of a slow connection. */
const MOST_UNSENT_BYTES = 128 * 1024
/** Without progress for this time the connection is dead. */
const STALL_MS = 60_000

/** No response for any reason: a network error for the client. */
export class LineBroken extends Error {
  override readonly name = 'LineBroken'
}

export type Body = {
  bytes: number
  /** The next piece, of at most `most` bytes. */
  at(position: number, most: number): Buffer
  bytesPerSecond: number
  /** Called for every piece handed to the kernel; `true` stops sending and leaves the connection open. */
  onSent(bytes: number, position: number): boolean
}

export class Line {
  readonly #socket: Socket
  /** The same socket, or the TCP socket under TLS. */
  readonly #tcp: Socket
  #received: Buffer = NOTHING
  #broken: string | undefined
  #wake: (() => void) | undefined

  private constructor(socket: Socket, tcp: Socket) {
    this.#socket = socket
    this.#tcp = tcp
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    socket.on('error', (error) => this.#break(error.message))
    socket.on('end', () => this.#break('closed by the server'))
    socket.on('close', () => this.#break('closed'))
  }

  /** Connects, with TLS to an https URL. Throws LineBroken. */
  static open(url: URL): Promise<Line> {
    const secure = url.protocol === 'https:'
    const host = url.hostname.replace(/^\[|\]$/g, '')
    return new Promise((resolve, reject) => {
      const tcp = connect({ host, port: Number(url.port || (secure ? 443 : 80)), noDelay: true })
      const name = isIP(host) === 0 ? { servername: host } : {}
      const socket = secure ? connectTls({ socket: tcp, host, ALPNProtocols: ['http/1.1'], ...name }) : tcp
      const timer = setTimeout(() => failed(new Error('no connection')), CONNECT_MS)
      const failed = (error: Error) => {
        clearTimeout(timer)
        socket.on('error', () => {}) // it has failed already
        socket.destroy()
        tcp.destroy()
        reject(new LineBroken(error.message))
      }
      socket.once('error', failed)
      tcp.on('error', failed) // stays under TLS: the end of this socket is the end of the one above
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        socket.off('error', failed)
        if (!secure) tcp.off('error', failed)
        resolve(new Line(socket, tcp))
      })
    })
  }

  get broken(): boolean {
    return this.#broken !== undefined
  }

  send(head: string): void {
    if (!this.#socket.destroyed) this.#socket.write(head, 'utf8')
  }

  /**
   * Sends a body at the speed of the connection. `sent`: all bytes are handed to the kernel; `answered`: the server
   * responded early or disconnected; `stopped`: `onSent` returned true. Throws LineBroken after a minute without progress.
   */
  async pour(body: Body, pacer: Pacer): Promise<'sent' | 'answered' | 'stopped'> {
    let position = 0
    let allowed = 0
    let lastMs = performance.now()
    let movedMs = lastMs
    let stopped = false
    const over = () => this.#received.length > 0 || this.broken
    const turn = (nowMs: number) => {
      allowed = Math.min(allowed + ((nowMs - lastMs) / 1000) * body.bytesPerSecond, body.bytesPerSecond)
      lastMs = nowMs
      while (position < body.bytes && allowed >= 1 && !stopped && !over()) {
        if (this.#socket.writableLength > MOST_UNSENT_BYTES) break
        const wanted = Math.min(Math.floor(allowed), MOST_UNSENT_BYTES)
        const mayBytes = pacer.allowed(wanted, nowMs)
        if (mayBytes === 0) {
          movedMs = nowMs // held back by this process, not by the server
          break
        }
        const piece = body.at(position, mayBytes)
        pacer.allowance?.giveBack(mayBytes - piece.length)
        position += piece.length
        // TLS hands bytes on later: the time of the answer counts from then, not from the next turn.
        this.#socket.write(piece, position < body.bytes ? undefined : () => this.#wake?.())
        allowed -= piece.length
        movedMs = nowMs
        stopped = body.onSent(piece.length, position)
      }
      if (stopped || over() || nowMs - movedMs > STALL_MS) this.#wake?.()
      else if (position >= body.bytes && this.#socket.writableLength === 0) this.#wake?.()
    }
    const remove = pacer.add(turn)
    try {
      for (;;) {
        if (stopped) return 'stopped'
        if (over()) return 'answered'
        if (position >= body.bytes && this.#socket.writableLength === 0) return 'sent'
        if (performance.now() - movedMs > STALL_MS) throw new LineBroken('no progress')
        await this.#change()
      }
    } finally {
      remove()
    }
  }

  /** The next final response. `method` of the request: a response to HEAD has no body. */
  async answer(method: string, timeoutMs: number): Promise<Response> {
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
        if (this.#broken !== undefined) throw new LineBroken(this.#broken)
        if (late) throw new LineBroken(`no response within ${timeoutMs} ms`)
        await this.#change()
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes the connection; the server is notified (FIN or RST). */
  reset(): void {
    this.#tcp.resetAndDestroy()
  }

  /** Half-open: nothing is read or written any more, and the connection stays open. Returns a function that ends it. */
  abandon(): () => void {
    this.#socket.pause()
    this.#socket.on('error', () => {}) // no client uses it any more
    return () => {
      this.#socket.destroy()
      this.#tcp.destroy()
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
