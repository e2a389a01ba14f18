// The data path: the bytes of one request body from the socket to a sink. The raw request is read directly, without
// streams in between; chunks are batched and passed by reference. This is the hottest code of the service.

import type { IncomingMessage } from 'node:http'
import { AppError } from '../core/errors.ts'
import { BodySource } from './body-source.ts'
import type { ByteBudget } from './budget.ts'
import { addChunk, SLAB_BYTES } from './slabs.ts'
import type { Sink } from './stores/port.ts'

/** Batch size. Measured: half of it costs a tenth more CPU, in wake-ups of the thread pool. */
export const BATCH_BYTES = SLAB_BYTES
/** As many bytes may wait for the sink before the socket is paused: with four slabs, a disk that keeps up never pauses it. */
const PAUSE_BYTES = 4 * SLAB_BYTES
const TICK_MS = 1000
const CHECKPOINT_BYTES = 1024 * 1024
const CHECKPOINT_MS = 5000
const SLOW_CHECKPOINT_MS = 60_000
/** Maximum time that a chunk waits for its batch. */
const MAX_WAIT_MS = 1000

export type BodyEnd =
  /** The body is complete. */
  | 'complete'
  /** The client disconnected or was idle for too long; received bytes are kept. */
  | 'gone'
  /** A newer request, a cancellation or the end of this process stopped it. */
  | 'stopped'

/** Checks the first bytes of a file; throws to refuse it, returns true if it needs no more bytes. */
export type Sniffer = (start: Buffer, whole: boolean) => boolean

export type ReceiverOptions = {
  /** Maximum size; more is UPLOAD_LENGTH_EXCEEDED. */
  limitBytes: number
  idleTimeoutMs: number
  /** Reserved here for every chunk; the sink releases what it has stored. */
  budget: ByteBudget
  sniff?: Sniffer
  /** False: every byte comes through node:http. */
  readsSockets: boolean
  onBytes: (bytes: number) => void
  /** Called at intervals to make written bytes durable, so that little is lost and progress is visible. */
  checkpoint: () => Promise<void>
}

/** Reads one request body into a sink. One instance per request. */
export class Receiver {
  readonly #req: IncomingMessage
  readonly #source: BodySource
  readonly #sink: Sink
  readonly #options: ReceiverOptions
  #pending: Buffer[] = []
  #pendingBytes = 0
  #received = 0
  #writing: Promise<void> | null = null
  #paused = false
  /** Arrival of the oldest waiting chunk. */
  #waitingSinceMs = 0
  #ended: BodyEnd | null = null
  #failure: unknown
  #sniff: Sniffer | undefined
  #settle: (() => void) | undefined
  #lastByteAt = performance.now()
  #checkpointBytes = 0
  #checkpointAtMs = performance.now()

  constructor(req: IncomingMessage, sink: Sink, options: ReceiverOptions) {
    this.#req = req
    this.#sink = sink
    this.#options = options
    this.#sniff = options.sniff
    this.#source = new BodySource(req, options.budget, options.readsSockets, this.#onChunk)
  }

  /** Bytes of this body so far. */
  get receivedBytes(): number {
    return this.#received
  }

  /**
   * Resolves when the body has ended and all accepted bytes are written to the sink (not flushed). Rejects with the error of
   * the sink, the sniffer or the limit; the request is then paused with an unread rest.
   */
  async run(): Promise<BodyEnd> {
    const req = this.#req
    const idle = setInterval(() => this.#tick(), Math.min(this.#options.idleTimeoutMs, TICK_MS))
    idle.unref()
    try {
      return await new Promise<BodyEnd>((resolve, reject) => {
        this.#settle = () => {
          if (this.#failure !== undefined) reject(this.#failure)
          else if (this.#ended !== null) resolve(this.#ended)
        }
        req.on('end', this.#onEnd)
        req.on('close', this.#onClose)
        req.on('error', this.#onClose)
        this.#source.start()
        // The request may have ended while the lock was being acquired.
        if (req.readableEnded) this.#onEnd()
        else if (req.destroyed) this.#onClose()
      })
    } finally {
      clearInterval(idle)
      this.#options.budget.forget(this.#resume)
      this.#source.stop()
      this.#drop()
      req.off('end', this.#onEnd)
      req.off('close', this.#onClose)
      // The sink must not be closed during a write.
      while (this.#writing !== null) await this.#writing
    }
  }

  /** Stops reading; unwritten bytes are dropped. Resolves when no write is running. */
  async stop(): Promise<void> {
    this.#drop()
    this.#end('stopped')
    while (this.#writing !== null) await this.#writing
  }

  /** Stops reading; received bytes are still written. Resolves when no write is running. */
  async leave(): Promise<void> {
    this.#end('stopped')
    while (this.#writing !== null) await this.#writing
  }

  /** Runs `work` (a flush) between two writes, after everything received so far is written. */
  async between(work: () => Promise<void>): Promise<void> {
    this.#kick()
    while (this.#writing !== null) await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    const done = work()
    this.#writing = done.then(
      () => this.#written(),
      (error: unknown) => this.#broken(error),
    )
    await done
  }

  #onChunk = (chunk: Buffer): void => {
    const { budget, onBytes } = this.#options
    if (this.#ended !== null || this.#failure !== undefined) {
      budget.slabs.giveBack([chunk])
      return
    }
    this.#received += chunk.length
    this.#lastByteAt = performance.now()
    if (this.#received > this.#options.limitBytes) {
      budget.slabs.giveBack([chunk])
      this.#fail(new AppError('UPLOAD_LENGTH_EXCEEDED'))
      return
    }
    onBytes(chunk.length)
    budget.reserve(chunk.length)
    if (this.#pendingBytes === 0) this.#waitingSinceMs = this.#lastByteAt
    // The rest of the first bytes may be waited for as long as the client likes.
    addChunk(this.#pending, this.#sniff === undefined ? chunk : budget.slabs.kept(chunk))
    this.#pendingBytes += chunk.length
    if (this.#sniff !== undefined && !this.#look(false)) return
    if (this.#pendingBytes >= BATCH_BYTES || budget.aboveSoftLimit) this.#kick()
    if (this.#paused) return
    if (this.#pendingBytes >= PAUSE_BYTES) this.#pause()
    else if (budget.aboveLimit) {
      this.#pause()
      budget.whenRoom(this.#resume)
    }
  }

  /** False: refused, or more bytes are needed before anything may be written. */
  #look(whole: boolean): boolean {
    try {
      const start = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending)
      if (this.#sniff?.(start ?? Buffer.alloc(0), whole) === false) return false
      this.#sniff = undefined
      return true
    } catch (error) {
      this.#drop()
      this.#fail(error)
      return false
    }
  }

  #onEnd = (): void => {
    if (this.#sniff !== undefined && this.#received > 0) this.#look(true)
    this.#end('complete')
  }

  #onClose = (): void => {
    this.#end('gone')
  }

  #end(how: BodyEnd): void {
    if (this.#ended !== null) return
    this.#ended = how
    this.#kick()
    if (this.#writing === null) this.#settle?.()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#settle?.()
  }

  /** A write to the sink failed: the request ends. */
  #broken(error: unknown): void {
    this.#writing = null
    this.#fail(error)
  }

  /** Writes the batch, unless a write is running. */
  #kick(): void {
    if (this.#writing !== null || this.#pendingBytes === 0 || this.#failure !== undefined) return
    // Nothing is written before the first bytes are checked.
    if (this.#sniff !== undefined) return
    const chunks = this.#pending
    const bytes = this.#pendingBytes
    this.#pending = []
    this.#pendingBytes = 0
    this.#writing = this.#sink.write(chunks, bytes).then(
      () => this.#written(),
      (error: unknown) => this.#broken(error),
    )
  }

  #written(): void {
    const { budget } = this.#options
    this.#writing = null
    if (this.#pendingBytes >= BATCH_BYTES || this.#ended !== null || budget.aboveSoftLimit) this.#kick()
    if (this.#paused && this.#pendingBytes < PAUSE_BYTES) {
      if (!budget.aboveLimit) this.#resume()
      // Paused for its own bytes before; now it waits for the shared budget.
      else budget.whenRoom(this.#resume)
    }
    if (this.#writing === null && this.#ended !== null) this.#settle?.()
  }

  /** The interval depends on the bytes: thousands of slow clients must not keep the disk busy. */
  #checkpoint(now: number): void {
    const since = this.#received - this.#checkpointBytes
    if (since === 0 || now - this.#checkpointAtMs < (since >= CHECKPOINT_BYTES ? CHECKPOINT_MS : SLOW_CHECKPOINT_MS))
      return
    if (this.#ended !== null || this.#failure !== undefined || this.#sniff !== undefined) return
    this.#checkpointBytes = this.#received
    this.#checkpointAtMs = now
    // `between` keeps the error, which ends the request.
    this.between(this.#options.checkpoint).catch(() => undefined)
  }

  #pause(): void {
    this.#paused = true
    this.#lastByteAt = performance.now()
    this.#source.pause()
  }

  #resume = (): void => {
    if (!this.#paused || this.#ended !== null || this.#failure !== undefined) return
    this.#paused = false
    this.#lastByteAt = performance.now()
    this.#source.resume()
  }

  /** Drops the waiting chunks. */
  #drop(): void {
    this.#options.budget.releaseChunks(this.#pending, this.#pendingBytes)
    this.#pending = []
    this.#pendingBytes = 0
  }

  /**
   * Writes the bytes of slow clients before a batch is full, and detects idle clients. A paused socket is not read, so even its end
   * is not seen: it counts as idle after the same time, unless the store is still writing its bytes.
   */
  #tick(): void {
    const now = performance.now()
    if (this.#pendingBytes > 0 && now - this.#waitingSinceMs > MAX_WAIT_MS && this.#sniff === undefined) this.#kick()
    this.#checkpoint(now)
    this.#source.tick()
    const busy = this.#paused && this.#writing !== null
    if (!busy && now - this.#lastByteAt >= this.#options.idleTimeoutMs) this.#end('gone')
  }
}
