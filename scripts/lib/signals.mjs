// Termination signals. Under npm, Ctrl-C arrives twice: from the terminal and from npm.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const SAME_PRESS_MS = 1_000

/** Calls `onFirst(signal)` once, and `onAgain()` for a further signal at least a second later. */
export function onSignals(onFirst, onAgain) {
  let firstAt
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now()
      if (firstAt === undefined) {
        firstAt = now
        onFirst(signal)
      } else if (now - firstAt > SAME_PRESS_MS) onAgain(signal)
    })
  }
}
