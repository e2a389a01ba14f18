// Memory of bytes that are read below node:http. The kernel writes into a slab of a fast client, the sink writes from it, and it is
// used again: nothing is copied and nothing is left to the garbage collector. Slow clients share slabs: their few bytes
// are copied there.

export const SLAB_BYTES = 512 * 1024
/** Less of a slab is copied by who keeps it for long. */
const MIN_KEPT_BYTES = 128 * 1024
/** Free slabs that are kept; more are left to the garbage collector. Measured: with 16, parts for S3 cost twice the CPU. */
const MAX_FREE = 64

/** Adds `next` to `chunks`. Where its bytes follow the last chunk's in memory, both become one: fewer are cheaper to write and to keep. */
export function addChunk(chunks: Buffer[], next: Buffer): void {
  const last = chunks.at(-1)
  if (last !== undefined && last.buffer === next.buffer && last.byteOffset + last.length === next.byteOffset)
    chunks[chunks.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + next.length)
  else chunks.push(next)
}

/** One piece of memory, filled from front to back. */
export class Slab {
  readonly memory = Buffer.allocUnsafeSlow(SLAB_BYTES)
  /** Bytes read into it. */
  filled = 0
  /** Bytes of them that somebody still uses. */
  lent = 0
  /** Nothing more is read into it. */
  closed = false
}

export class Slabs {
  readonly #free: Slab[] = []
  readonly #out = new Map<ArrayBufferLike, Slab>()
  readonly #maxBytes: number
  /** The slab that slow clients' bytes are copied to. Closed once nobody uses them. */
  #shared: Slab | undefined

  /** @param maxBytes of slabs in use: a few bytes that somebody keeps for long keep a whole slab */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Memory of slabs that are in use. */
  get bytes(): number {
    return this.#out.size * SLAB_BYTES
  }

  /** Undefined if too many are in use. */
  take(): Slab | undefined {
    if (this.bytes + SLAB_BYTES > this.#maxBytes) return undefined
    const slab = this.#free.pop() ?? new Slab()
    this.#out.set(slab.memory.buffer, slab)
    return slab
  }

  /** The next `bytes` of the slab, which were read: in use until they are given back. */
  lend(slab: Slab, bytes: number): Buffer {
    const chunk = slab.memory.subarray(slab.filled, slab.filled + bytes)
    slab.filled += bytes
    slab.lent += bytes
    return chunk
  }

  /** A copy in a shared slab, in use until it is given back; memory of its own if too many slabs are in use. */
  copy(bytes: Buffer): Buffer {
    if (this.#shared !== undefined && SLAB_BYTES - this.#shared.filled < bytes.length) {
      const full = this.#shared
      this.#shared = undefined
      this.close(full)
    }
    this.#shared ??= this.take()
    const to = this.#shared === undefined ? Buffer.allocUnsafeSlow(bytes.length) : this.lend(this.#shared, bytes.length)
    bytes.copy(to)
    return to
  }

  /** Nothing more is read into this slab. It is free once all its bytes were given back. */
  close(slab: Slab): void {
    slab.closed = true
    this.#freeIfUnused(slab)
  }

  /** For who keeps a chunk for long: a small one would keep a whole slab from being used again, so it is a copy. */
  kept(chunk: Buffer): Buffer {
    if (chunk.length >= MIN_KEPT_BYTES || !this.#out.has(chunk.buffer)) return chunk
    const copy = Buffer.allocUnsafeSlow(chunk.length)
    chunk.copy(copy)
    this.giveBack([chunk])
    return copy
  }

  /**
   * Nobody uses these chunks any more. Chunks of other memory are ignored.
   *
   * @throws Error if bytes come back twice: the next ones read there would be overwritten while they are in use
   */
  giveBack(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) {
      const slab = this.#out.get(chunk.buffer)
      if (slab === undefined) continue
      slab.lent -= chunk.length
      if (slab.lent < 0) throw new Error('bytes of a slab were given back twice')
      if (slab === this.#shared && slab.lent === 0) {
        this.#shared = undefined
        slab.closed = true
      }
      this.#freeIfUnused(slab)
    }
  }

  #freeIfUnused(slab: Slab): void {
    if (!slab.closed || slab.lent > 0) return
    this.#out.delete(slab.memory.buffer)
    slab.closed = false
    slab.filled = 0
    if (this.#free.length < MAX_FREE) this.#free.push(slab)
  }
}
