// One server-sent event stream on the wire (WHATWG HTML, 9.2): framing, heartbeat, and patience with a slow reader.

import { PassThrough, type Readable } from 'node:stream'

/** Proxies and browsers drop a line that is silent for a minute; a comment keeps it and finds dead ones. */
export const HEARTBEAT_MS = 15_000
/** A reader that takes nothing for so long is cut; it comes back and goes on from its Last-Event-ID. */
export const SLOW_READER_MS = 30_000
/** Bytes that may wait for a reader before writing pauses. */
const BUFFER_BYTES = 64 * 1024

export type SseMessage = { event: string; data: unknown; id?: string }

export class SseWriter {
  readonly #out = new PassThrough({ highWaterMark: BUFFER_BYTES })
  readonly #heartbeat: NodeJS.Timeout
  readonly #slowReaderMs: number

  /** `retryMs`: how long the browser waits before it comes back. */
  constructor(options: { retryMs: number; heartbeatMs?: number; slowReaderMs?: number }) {
    this.#slowReaderMs = options.slowReaderMs ?? SLOW_READER_MS
    this.#out.write(`retry: ${options.retryMs}\n\n`)
    this.#heartbeat = setInterval(() => {
      // A line that is full has proof enough that it is alive or not.
      if (!this.#out.writableNeedDrain && this.open) this.#out.write(': alive\n\n')
    }, options.heartbeatMs ?? HEARTBEAT_MS).unref()
    this.#out.once('close', () => clearInterval(this.#heartbeat))
  }

  /** What goes to the client. Destroyed when the client is gone. */
  get body(): Readable {
    return this.#out
  }

  get open(): boolean {
    return !this.#out.writableEnded && !this.#out.destroyed
  }

  onClose(listener: () => void): void {
    this.#out.once('close', listener)
  }

  /** Resolves when there is room for more; false: the stream has ended, or its reader was too slow and was cut. */
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

  /** Ends the stream after what was written; the browser comes back by itself. */
  end(): void {
    clearInterval(this.#heartbeat)
    if (this.open) this.#out.end()
  }
}

/** JSON has no line break of its own, so one `data:` line holds it; ids and names are ours and have none either. */
function frame({ event, data, id }: SseMessage): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
