// Memory of our own for parts that are filling fast beside others. A chunk as the socket gives it is an allocation that
// V8 counts; kept while several parts fill, it outlives two young collections, and every 64 MiB of such cost a full one.
// Copied here it dies young, and the memory is used again. One upload alone is faster without: its chunks die young anyway.

/** One batch of the receiver. */
export const SLAB_BYTES = 256 * 1024
/** Kept for the next part; what is beyond goes back to V8. */
const MAX_FREE = 256

export class Slabs {
  readonly #free: Buffer[] = []
  readonly #sinks = new Set<symbol>()

  /** One more is writing parts; the answer ends that. */
  enter(): () => void {
    const sink = Symbol('sink')
    this.#sinks.add(sink)
    return () => void this.#sinks.delete(sink)
  }

  get worthwhile(): boolean {
    return this.#sinks.size > 1
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
  }

  /** Nobody may hold a view of it any more. */
  give(slabs: readonly Buffer[]): void {
    for (const slab of slabs) if (this.#free.length < MAX_FREE) this.#free.push(slab)
  }
}
