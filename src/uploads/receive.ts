// The data path: bytes of one request body, from the socket to a sink. The raw request is read directly, without
// streams in between; chunks are gathered and handed on by reference. This is the hottest code of the service.

import type { IncomingMessage } from 'node:http'
import { AppError } from '../core/errors.ts'
import type { ByteBudget } from './budget.ts'
import type { Sink } from './stores/port.ts'

/** Bytes handed to the sink at a time, and how much may wait for it before the socket is paused. */
export const BATCH_BYTES = 256 * 1024
const PAUSE_BYTES = 512 * 1024
const TICK_MS = 1000
const CHECKPOINT_BYTES = 1024 * 1024
const CHECKPOINT_MS = 5000
const SLOW_CHECKPOINT_MS = 60_000
/** A chunk waits no longer than this for others to share its write. */
const MAX_WAIT_MS = 1000

export type BodyEnd =
  /** The body ended as HTTP says it should. */
  | 'complete'
  /** The client went away, or sent nothing for too long; what came is kept. */
  | 'gone'
  /** A newer request, a cancellation or the end of this process stopped it. */
  | 'stopped'

/** Looks at the first bytes of a file; throws to refuse it, returns true when it has seen enough. */
export type Sniffer = (start: Buffer, whole: boolean) => boolean

export type ReceiverOptions = {
  /** No more than this is taken; one byte beyond is UPLOAD_LENGTH_EXCEEDED. */
  limitBytes: number
  idleTimeoutMs: number
  /** Charged with every chunk here; the sink gives back what it has stored. */
  budget: ByteBudget
  sniff?: Sniffer
  onBytes: (bytes: number) => void
  /** Makes what was written durable now and then, so that little is lost with the process and progress is seen. */
  checkpoint: () => Promise<void>
}

/** Reads one request body into a sink. One instance per request. */
export class Receiver {
  readonly #req: IncomingMessage
  readonly #sink: Sink
  readonly #options: ReceiverOptions
  #pending: Buffer[] = []
  #pendingBytes = 0
  #received = 0
  #writing: Promise<void> | null = null
  #paused = false
  /** When the oldest waiting chunk came. */
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
  }

  /** Bytes of this body so far. */
  get receivedBytes(): number {
    return this.#received
  }

  /**
   * Resolves when the body is over and everything taken has been written to the sink (not flushed). Rejects with what
   * the sink, the sniffer or the limit threw; the request is then paused with the rest of its body unread.
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
        req.on('data', this.#onData)
        req.on('end', this.#onEnd)
        req.on('close', this.#onClose)
        req.on('error', this.#onClose)
        // The request may have ended or died while the lock was taken.
        if (req.readableEnded) this.#onEnd()
        else if (req.destroyed) this.#onClose()
      })
    } finally {
      clearInterval(idle)
      this.#options.budget.forget(this.#resume)
      this.#drop()
      req.off('data', this.#onData)
      req.off('end', this.#onEnd)
      req.off('close', this.#onClose)
      req.pause()
      // Whoever closes the sink next must not do so under a write.
      while (this.#writing !== null) await this.#writing
    }
  }

  /** Ends reading now; what is not written yet is dropped. Resolves when the sink is quiet. */
  async stop(): Promise<void> {
    this.#drop()
    this.#end('stopped')
    while (this.#writing !== null) await this.#writing
  }

  /** Ends reading now; what has arrived is still written. Resolves when the sink is quiet. */
  async leave(): Promise<void> {
    this.#end('stopped')
    while (this.#writing !== null) await this.#writing
  }

  /** Runs `work` (a flush of the sink) between two writes, with everything received so far written before it. */
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

  #onData = (chunk: Buffer): void => {
    if (this.#ended !== null || this.#failure !== undefined) return
    this.#received += chunk.length
    this.#lastByteAt = performance.now()
    if (this.#received > this.#options.limitBytes) {
      this.#fail(new AppError('UPLOAD_LENGTH_EXCEEDED'))
      return
    }
    const { budget, onBytes } = this.#options
    onBytes(chunk.length)
    budget.reserve(chunk.length)
    if (this.#pendingBytes === 0) this.#waitingSinceMs = this.#lastByteAt
    this.#pending.push(chunk)
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

  /** False: refused, or more is needed before anything may be written. */
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

  /** A write to the sink failed: it is over, and so is the request. */
  #broken(error: unknown): void {
    this.#writing = null
    this.#fail(error)
  }

  /** Hands on what has gathered, unless the sink is still busy with the batch before. */
  #kick(): void {
    if (this.#writing !== null || this.#pendingBytes === 0 || this.#failure !== undefined) return
    // What a file is must be told by its beginning: nothing of it is written before that is known.
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
      // Paused for what this request held; now it waits for what all hold.
      else budget.whenRoom(this.#resume)
    }
    if (this.#writing === null && this.#ended !== null) this.#settle?.()
  }

  /** Often where much has come, seldom where little has: two thousand slow clients must not keep the disk busy. */
  #checkpoint(now: number): void {
    const since = this.#received - this.#checkpointBytes
    if (since === 0 || now - this.#checkpointAtMs < (since >= CHECKPOINT_BYTES ? CHECKPOINT_MS : SLOW_CHECKPOINT_MS))
      return
    if (this.#ended !== null || this.#failure !== undefined || this.#sniff !== undefined) return
    this.#checkpointBytes = this.#received
    this.#checkpointAtMs = now
    // A failure is kept by `between` and ends the request.
    this.between(this.#options.checkpoint).catch(() => undefined)
  }

  #pause(): void {
    this.#paused = true
    this.#lastByteAt = performance.now()
    this.#req.pause()
  }

  #resume = (): void => {
    if (!this.#paused || this.#ended !== null || this.#failure !== undefined) return
    this.#paused = false
    this.#lastByteAt = performance.now()
    this.#req.resume()
  }

  /** Forgets what waits for the sink. */
  #drop(): void {
    this.#options.budget.release(this.#pendingBytes)
    this.#pending = []
    this.#pendingBytes = 0
  }

  /**
   * What a slow client has sent must not wait for a whole batch. A socket that we paused is not read, so not even its end
   * is seen: it is idle when the pause has lasted as long, unless it is the store that is still at work on its bytes.
   */
  #tick(): void {
    const now = performance.now()
    if (this.#pendingBytes > 0 && now - this.#waitingSinceMs > MAX_WAIT_MS && this.#sniff === undefined) this.#kick()
    this.#checkpoint(now)
    const busy = this.#paused && this.#writing !== null
    if (!busy && now - this.#lastByteAt >= this.#options.idleTimeoutMs) this.#end('gone')
  }
}
