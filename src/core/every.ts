// Something that a process does again and again, one run at a time.

/**
 * Runs at once and then every `ms` milliseconds. A run that takes longer is waited for: the next one would do the same work.
 *
 * @param failed told of an error; the next run comes all the same
 * @returns a function that stops it
 */
export function runEvery(ms: number, work: () => Promise<unknown>, failed: (err: unknown) => void): () => void {
  let running = false
  const once = async () => {
    if (running) return
    running = true
    await work().catch(failed)
    running = false
  }
  void once()
  const timer = setInterval(() => void once(), ms)
  return () => clearInterval(timer)
}
