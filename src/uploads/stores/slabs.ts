// Reusable memory for parts of several fast uploads. A chunk of the socket is an allocation that
// V8 counts; kept while several parts are filled, it survives two young collections, and every 64 MiB of such chunks cost a full collection.
// Copied into slabs, the chunk dies young. A single upload is faster without slabs: its chunks die young anyway.

/** The batch size of the receiver. */
export const SLAB_BYTES = 256 * 1024
/** Free slabs that are kept; more are left to the garbage collector. */
const MAX_FREE = 256

export class Slabs {
  readonly #free: Buffer[] = []
  readonly #sinks = new Set<symbol>()

  /** Counts one more writer; the returned function ends it. */
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

  /** Returns slabs; nobody may use a view of them any more. */
  give(slabs: readonly Buffer[]): void {
    for (const slab of slabs) if (this.#free.length < MAX_FREE) this.#free.push(slab)
  }
}
