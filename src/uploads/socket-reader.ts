// Reads a request body below node:http: libuv reads straight into slabs, as much as the kernel has, without a buffer, an event and
// garbage for each 64 KiB. Only for bodies of known length on a plain TCP socket; everything else goes through node:http.
//
// What this file takes from Node's internals, tried on Node 20.20, 22.23 and 24.21:
// - `socket._handle` (a TCP handle): its methods `readStart`, `readStop`; its flag `reading`; its property under the symbol
//   `owner_symbol`, the socket that gets its events;
// - `new Socket({ handle, onread })`: a second socket for the handle, whose `onread.buffer` names the memory for each read;
// - `socket.parser` (an HTTPParser): `unconsume` and `consume` take it off the handle and put it back; `execute` parses bytes;
//   in the slot `kOnBody` is the function that gets the body's bytes, and without one the parser only counts them.
//
// The HTTP server notices nothing. When the handle is given back, the parser is told of as many bytes of body as were read here
// (which they are does not matter to it), and goes on behind them: rest of the body, end of the request, next request. No read here
// goes beyond the body, so bytes of the next request are never seen here.
//
// Each take-over leaves a listener of some 150 bytes at the handle until the connection closes. It lies below the parser and still
// names the memory of the last read: nothing may take the parser off a living connection but this file. The HTTP server does so
// for upgrades, which the service does not accept, and where someone listens for `data` of the socket.
//
// Each process tries all this on a connection of its own before it uses it (socket-reading.ts).

import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { ByteBudget } from './budget.ts'
import { SLAB_BYTES, type Slab } from './slabs.ts'

/**
 * Reads of slow clients go here, one at a time, and their bytes are copied out: thousands of them need one such memory. A read
 * that fills it is one of a fast client.
 */
const LANDING = Buffer.allocUnsafeSlow(64 * 1024)
/** Measured: a rest of some 400 KiB costs as much below node:http as through it. */
const MIN_REST_BYTES = 512 * 1024
/** A slab with less room than this is full. */
const MIN_ROOM_BYTES = 32 * 1024
/** Bytes that stand for those read here when the parser counts them. Never read nor written, so they take no memory. */
const COUNTED = Buffer.allocUnsafeSlow(1024 ** 2)

type Handle = {
  reading: boolean
  readStart(): number
  readStop(): number
  [owner: symbol]: unknown
}

type Parser = {
  consume(handle: Handle): void
  unconsume(): void
  execute(bytes: Buffer): number | Error
  [slot: number]: unknown
}

type Internals = { socket: Socket; handle: Handle; parser: Parser; ownerSymbol: symbol; onBodySlot: number }

/** A second socket for a handle. It never writes to the handle nor closes it: that is up to the socket that owns the connection. */
class Tap extends Socket {
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error)
  }
}

export class SocketReader {
  readonly #request: IncomingMessage
  readonly #internals: Internals
  readonly #budget: ByteBudget
  readonly #onChunk: (chunk: Buffer) => void
  /** Bytes of the body that were not read yet. */
  #rest: number
  /** Bytes that the parser was not told of yet. */
  #uncounted = 0
  /** Only of a fast client. */
  #slab: Slab | undefined
  #paused = false
  #active = true

  /**
   * Takes the body's connection from the HTTP server; never to be called while its parser is running (within an event of
   * the request). Undefined if it goes on as before: what is needed for this is not there, or it is not worth while.
   *
   * @param received bytes of the body that came through `request`
   * @param onChunk gets memory of a slab, to be given back with `budget.releaseChunks`; the reader is paused or given
   *   back within it, or later
   */
  static take(
    request: IncomingMessage,
    received: number,
    budget: ByteBudget,
    onChunk: (chunk: Buffer) => void,
  ): SocketReader | undefined {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    const rest = Number(length ?? 0) - received
    if (coding !== undefined || rest < MIN_REST_BYTES) return undefined
    // Bytes that still wait in the request would come after those read here.
    if (request.complete || request.readableLength > 0 || request.readableFlowing !== true) return undefined
    const internals = internalsOf(request)
    return internals === undefined ? undefined : new SocketReader(request, internals, rest, budget, onChunk)
  }

  private constructor(
    request: IncomingMessage,
    internals: Internals,
    rest: number,
    budget: ByteBudget,
    onChunk: (chunk: Buffer) => void,
  ) {
    this.#request = request
    this.#internals = internals
    this.#rest = rest
    this.#budget = budget
    this.#onChunk = onChunk
    const { socket, handle, parser } = internals
    parser.unconsume()
    const tap = new Tap({
      handle,
      allowHalfOpen: true,
      onread: { buffer: () => this.#room(), callback: (bytes: number) => this.#onRead(bytes) },
    } as ConstructorParameters<typeof Socket>[0])
    // The end of the connection and its errors belong to the socket that owns it.
    tap.on('end', () => {
      if (!this.#active) return
      this.giveBack()
      socket.push(null)
      socket.read(0)
    })
    tap.on('error', (error) => {
      this.giveBack()
      socket.destroy(error)
    })
  }

  /** False once the connection was given back. */
  get active(): boolean {
    return this.#active
  }

  /** True while it has memory of its own. */
  get holdsSlab(): boolean {
    return this.#slab !== undefined
  }

  pause(): void {
    this.#paused = true
    this.#internals.handle.reading = false
    this.#internals.handle.readStop()
  }

  resume(): void {
    this.#paused = false
    this.#startReading()
  }

  /** Gives the connection back to the HTTP server, which reads the rest of the body and the next request. */
  giveBack(): void {
    if (!this.#active) return
    this.#active = false
    this.#closeSlab()
    const { socket, handle, parser, ownerSymbol } = this.#internals
    // The connection has ended, and its parser may belong to another one.
    if (socket.destroyed || parserOf(socket) !== parser) return
    if (this.#paused) this.#request.pause()
    handle[ownerSymbol] = socket
    if (!this.#countBytes()) {
      socket.destroy(new Error('the HTTP parser did not count the bytes of a body that were read beside it'))
      return
    }
    parser.consume(handle)
    this.#startReading()
  }

  /** Memory for the next read: never more than the rest of the body, and not much more than the budget has. */
  #room(): Buffer | undefined {
    if (!this.#active) return undefined
    const most = Math.min(this.#rest, Math.max(this.#budget.limitBytes - this.#budget.used, LANDING.length))
    if (this.#slab === undefined) return LANDING.subarray(0, most)
    const { memory, filled } = this.#slab
    return memory.subarray(filled, Math.min(SLAB_BYTES, filled + most))
  }

  /** Always true: pausing is done by `pause`, and after `giveBack` the handle is not ours. */
  #onRead(bytes: number): boolean {
    const { slabs } = this.#budget
    const chunk = this.#slab === undefined ? slabs.copy(LANDING.subarray(0, bytes)) : slabs.lend(this.#slab, bytes)
    this.#rest -= bytes
    this.#uncounted += bytes
    this.#onChunk(chunk)
    if (!this.#active) return true
    // The socket that owns the connection may have started the reading meanwhile.
    if (this.#paused) this.pause()
    if (this.#rest === 0) this.giveBack()
    else if (this.#slab === undefined) {
      if (bytes === LANDING.length) this.#slab = this.#budget.takeSlab()
    } else if (SLAB_BYTES - this.#slab.filled < MIN_ROOM_BYTES) {
      this.#closeSlab()
      this.#slab = this.#budget.takeSlab()
    }
    return true
  }

  #closeSlab(): void {
    if (this.#slab !== undefined) this.#budget.slabs.close(this.#slab)
    this.#slab = undefined
  }

  #startReading(): void {
    const { socket, handle } = this.#internals
    if (handle.reading || socket.destroyed) return
    handle.reading = true
    if (handle.readStart() !== 0) socket.destroy(new Error('a connection could not be read any more'))
  }

  /** False: the parser is not where it should be. */
  #countBytes(): boolean {
    const { parser, onBodySlot } = this.#internals
    const onBody = parser[onBodySlot]
    parser[onBodySlot] = null
    try {
      while (this.#uncounted > 0) {
        const bytes = Math.min(this.#uncounted, COUNTED.length)
        if (parser.execute(COUNTED.subarray(0, bytes)) !== bytes) return false
        this.#uncounted -= bytes
      }
    } finally {
      parser[onBodySlot] = onBody
    }
    return this.#request.complete === (this.#rest === 0)
  }
}

/** Undefined if something is not as this file needs it. */
function internalsOf(request: IncomingMessage): Internals | undefined {
  const { socket } = request
  const handle = (socket as { _handle?: Partial<Handle> | null })._handle
  const parser = parserOf(socket)
  // The prototype: a TLS socket is one too, and its handle gives encrypted bytes.
  if (Object.getPrototypeOf(socket) !== Socket.prototype || socket.destroyed || !socket.readable) return undefined
  if ((socket as { _paused?: boolean })._paused !== false) return undefined
  if (handle?.constructor.name !== 'TCP' || parser === undefined) return undefined
  const onBodySlot = (parser.constructor as { kOnBody?: unknown }).kOnBody
  const ownerSymbol = Object.getOwnPropertySymbols(handle).find((symbol) => handle[symbol] === socket)
  const isKnown =
    (parser as { incoming?: unknown }).incoming === request &&
    [handle.readStart, handle.readStop].every(isFunction) &&
    isFunction((handle as { useUserBuffer?: unknown }).useUserBuffer) &&
    [parser.consume, parser.unconsume, parser.execute].every(isFunction) &&
    typeof handle.reading === 'boolean'
  if (!isKnown || ownerSymbol === undefined || typeof onBodySlot !== 'number') return undefined
  if (!isFunction(parser[onBodySlot])) return undefined
  return { socket, handle: handle as Handle, parser, ownerSymbol, onBodySlot }
}

function parserOf(socket: Socket): Parser | undefined {
  return (socket as { parser?: Parser | null }).parser ?? undefined
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
