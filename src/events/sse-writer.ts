// Writes one server-sent event stream (WHATWG HTML, 9.2): framing, heartbeat, slow readers.

import { PassThrough, type Readable } from 'node:stream'

/** Proxies drop connections that are idle for a minute; a comment keeps them open and detects dead ones. */
const HEARTBEAT_MS = 15_000
/** A reader that reads nothing for this time is disconnected; it reconnects and continues from its Last-Event-ID. */
const SLOW_READER_MS = 30_000
/** Buffered bytes per reader before writing pauses. */
const BUFFER_BYTES = 64 * 1024

export type SseMessage = { event: string; data: unknown; id?: string }

export class SseWriter {
  readonly #out = new PassThrough({ highWaterMark: BUFFER_BYTES })
  readonly #heartbeat: NodeJS.Timeout
  readonly #slowReaderMs: number

  /** `retryMs`: reconnection delay of the browser. */
  constructor(options: { retryMs: number; heartbeatMs?: number; slowReaderMs?: number }) {
    this.#slowReaderMs = options.slowReaderMs ?? SLOW_READER_MS
    this.#out.write(`retry: ${options.retryMs}\n\n`)
    this.#heartbeat = setInterval(() => {
      // Not needed while data is waiting to be sent.
      if (!this.#out.writableNeedDrain && this.open) this.#out.write(': alive\n\n')
    }, options.heartbeatMs ?? HEARTBEAT_MS).unref()
    this.#out.once('close', () => clearInterval(this.#heartbeat))
  }

  /** The response body. Destroyed when the client is gone. */
  get body(): Readable {
    return this.#out
  }

  get open(): boolean {
    return !this.#out.writableEnded && !this.#out.destroyed
  }

  onClose(listener: () => void): void {
    this.#out.once('close', listener)
  }

  /** Resolves when more can be written; false: the stream has ended, or its reader was too slow. */
  async send(message: SseMessage): Promise<boolean> {
    if (!this.open) return false
    if (this.#out.write(frame(message))) return true
    return await this.#drained()
  }

  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#out.off('drain', done)
        this.#out.off('close', done)
        resolve(this.open)
      }
      const timer = setTimeout(() => this.#out.destroy(), this.#slowReaderMs)
      this.#out.once('drain', done)
      this.#out.once('close', done)
    })
  }

  /** Ends the stream; the browser reconnects automatically. */
  end(): void {
    clearInterval(this.#heartbeat)
    if (this.open) this.#out.end()
  }
}

/** JSON has no line breaks, so one `data:` line is enough; ids and names have none either. */
function frame({ event, data, id }: SseMessage): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
