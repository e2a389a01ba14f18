// Upload speed over the last seconds: smooth, but quick to follow a change of the connection.

const WINDOW_MS = 12_000
/** No speed is shown before this time. */
const LEAST_MS = 1500

export class Speed {
  /** @type {{atMs: number, bytes: number}[]} */
  #samples = []

  /** @param {number} bytes sent in all, so far */
  note(bytes) {
    const atMs = performance.now()
    const last = this.#samples.at(-1)
    // Restarted from an older offset: the samples before it are invalid.
    if (last !== undefined && bytes < last.bytes) this.#samples = []
    this.#samples.push({ atMs, bytes })
    while ((this.#samples[1]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift()
  }

  forget() {
    this.#samples = []
  }

  /** Bytes per second; null if not yet known. */
  get bytesPerSecond() {
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined) return null
    const seconds = (performance.now() - first.atMs) / 1000
    return seconds * 1000 < LEAST_MS ? null : (last.bytes - first.bytes) / seconds
  }
}
