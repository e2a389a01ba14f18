// One TCP (or TLS) connection, controlled directly: write any bytes, read complete responses, disconnect at any time.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Response } from './message.ts'
import { parseResponse } from './parse.ts'

/** There was no response; the reason is reported. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly kind: 'timeout' | 'closed' | 'unreachable'
  constructor(kind: 'timeout' | 'closed' | 'unreachable', message: string) {
    super(message)
    this.kind = kind
  }
}

export class Connection {
  readonly #socket: Socket
  /** The same socket, or the TCP socket under TLS. */
  readonly #tcp: Socket
  #received: Buffer = Buffer.alloc(0)
  #ended = false
  #failure = 'connection closed by the server'
  #wake: Array<() => void> = []

  private constructor(socket: Socket, tcp: Socket) {
    this.#socket = socket
    this.#tcp = tcp
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#notify()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = `connection broken (${error.code ?? error.message})`
    })
    const end = () => {
      this.#ended = true
      this.#notify()
    }
    socket.on('end', end)
    socket.on('close', end)
  }

  /** Connects within `timeoutMs` or throws NoAnswer('unreachable'). */
  static async open(url: URL, timeoutMs: number): Promise<Connection> {
    const secure = url.protocol === 'https:'
    const port = Number(url.port || (secure ? 443 : 80))
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const tcp = connectTcp({ host, port })
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = secure ? connectTls({ socket: tcp, host, ALPNProtocols: ['http/1.1'], ...name }) : tcp
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => {
        socket.destroy()
        tcp.destroy()
        reject(new NoAnswer('unreachable', `no connection to ${url.host}: ${why}`))
      }
      const timer = setTimeout(() => fail(`nothing within ${timeoutMs} ms`), timeoutMs)
      for (const each of new Set([socket, tcp])) {
        each.once('error', (error) => {
          clearTimeout(timer)
          fail(error.message)
        })
      }
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    return new Connection(socket, tcp)
  }

  /** True once the server has closed or reset its side. */
  get ended(): boolean {
    return this.#ended
  }

  /** Bytes that came and belong to no response read so far. */
  get unread(): number {
    return this.#received.length
  }

  write(data: Buffer): void {
    if (!this.#socket.destroyed && data.length > 0) this.#socket.write(data)
  }

  /** Resolves when the kernel has accepted the bytes, the peer has disconnected, or `timeoutMs` has passed. */
  async flush(data: Buffer, timeoutMs: number): Promise<void> {
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#socket.once('close', done)
      this.#socket.write(data, done)
    })
  }

  /** The next final response; 1xx answers before it are listed in `interim`. `method` is the request's. */
  async response(method: string, timeoutMs: number): Promise<Response> {
    const deadline = Date.now() + timeoutMs
    const interim: number[] = []
    for (;;) {
      const next = await this.anyResponse(method, Math.max(0, deadline - Date.now()))
      if (next.status >= 200) return { ...next, interim }
      interim.push(next.status)
    }
  }

  /** The next response of any kind, 1xx included. */
  async anyResponse(method: string, timeoutMs: number): Promise<Response> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const parsed = parseResponse(this.#received, method, this.#ended)
      if (parsed) {
        this.#received = this.#received.subarray(parsed.consumed)
        return parsed.response
      }
      if (this.#ended) throw new NoAnswer('closed', `${this.#failure}, without a complete answer`)
      const left = deadline - Date.now()
      if (left <= 0) throw new NoAnswer('timeout', `no answer within ${timeoutMs} ms`)
      await this.#change(left)
    }
  }

  /** Waits until `bytes` more bytes have arrived beyond the responses read so far; false if they do not. */
  async receivedWithin(bytes: number, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs
    while (this.unread < bytes && !this.#ended && Date.now() < deadline) await this.#change(deadline - Date.now())
    return this.unread >= bytes
  }

  /** Waits until the server closes; false when it has not within `timeoutMs`. */
  async closedWithin(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs
    while (!this.#ended && Date.now() < deadline) await this.#change(deadline - Date.now())
    return this.#ended
  }

  /** Sends FIN (or nothing more) and forgets the connection. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Sends RST, as a crashed client or a middle box does. */
  reset(): void {
    this.#tcp.resetAndDestroy()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const go of wake) go()
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
