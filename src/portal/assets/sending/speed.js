// How fast bytes go out, over the last seconds: a number that neither jumps with every packet nor remembers the last line.

const WINDOW_MS = 12_000
/** Before that, any number would be a guess. */
const LEAST_MS = 1500

export class Speed {
  /** @type {{atMs: number, bytes: number}[]} */
  #samples = []

  /** @param {number} bytes sent in all, so far */
  note(bytes) {
    const atMs = performance.now()
    const last = this.#samples.at(-1)
    // Begun again from an older offset: what was before says nothing of now.
    if (last !== undefined && bytes < last.bytes) this.#samples = []
    this.#samples.push({ atMs, bytes })
    while ((this.#samples[1]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#samples.shift()
  }

  forget() {
    this.#samples = []
  }

  /** Bytes per second; null where it is not known yet. */
  get bytesPerSecond() {
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined) return null
    const seconds = (performance.now() - first.atMs) / 1000
    return seconds * 1000 < LEAST_MS ? null : (last.bytes - first.bytes) / seconds
  }
}
