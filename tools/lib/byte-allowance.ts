// A common limit of the bytes that all connections of a process send: a bucket that holds one second's worth.

export class ByteAllowance {
  readonly #bytesPerSecond: number
  #bytes: number
  #atMs: number
  /** Whether somebody had to wait since this was last set to false. */
  wasReached = false

  constructor(bytesPerSecond: number, nowMs = performance.now()) {
    this.#bytesPerSecond = bytesPerSecond
    this.#bytes = bytesPerSecond
    this.#atMs = nowMs
  }

  /**
   * Takes at most `wanted` bytes; fewer, or 0, while the limit is reached.
   *
   * @param takers how often anybody takes in a second: near the limit nobody gets more than twice its share, so that the
   * first ones do not leave nothing for the others
   */
  take(wanted: number, nowMs = performance.now(), takers = 1): number {
    const earned = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#bytesPerSecond
    this.#bytes = Math.min(this.#bytesPerSecond, this.#bytes + earned)
    this.#atMs = Math.max(this.#atMs, nowMs)
    const isNear = this.#bytes < this.#bytesPerSecond / 2
    const fair = isNear ? Math.ceil((2 * this.#bytesPerSecond) / takers) : wanted
    const taken = Math.min(wanted, fair, Math.floor(this.#bytes))
    this.#bytes -= taken
    if (taken < wanted) this.wasReached = true
    return taken
  }

  /** What was taken and not sent. */
  giveBack(bytes: number): void {
    this.#bytes += bytes
  }

  /** Resolves when `bytes` more may be sent; they may exceed one second's worth. */
  async wait(bytes: number): Promise<void> {
    for (let left = bytes - this.take(bytes); left > 0; left -= this.take(left))
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000, (left / this.#bytesPerSecond) * 1000 + 1)))
  }
}
