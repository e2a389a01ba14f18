// Waiting for something no longer than a limit.

/**
 * What `work` gives or throws; where that takes longer than `ms` milliseconds, what `late` gives or throws. The work itself
 * goes on: whoever wants it to end tells it in `late`.
 */
export async function withTimeout<T, L>(work: PromiseLike<T> | T, ms: number, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  try {
    const first = await Promise.race([Promise.resolve(work).then((result) => ({ result })), limit])
    return first === 'late' ? late() : first.result
  } finally {
    clearTimeout(timer)
  }
}
