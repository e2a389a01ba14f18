// Standard output for log lines: never blocks the process, and never keeps it from ending.

import sonic from 'sonic-boom'

/** Lines that wait for a reader that has stopped reading; what comes on top is dropped. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** What is left at the exit may take this long. */
const EXIT_FLUSH_MS = 1000

const GONE = new Set(['EPIPE', 'ECONNRESET', 'EBADF'])

export type LogOutput = { write(line: string): void; flushSync(): void }

/**
 * Lines are written in the background and in order. Where the reader has gone (EPIPE: the supervisor was killed, a
 * log collector ended), lines are dropped and the process goes on serving. pino's own destination tries again for ever
 * at the exit in that case: a service that was told to end stayed.
 */
export function logOutput(): LogOutput {
  let giveUpAt = Number.POSITIVE_INFINITY
  let readerGone = false
  // Reading `process.stdout` makes a pipe non-blocking: a full one is EAGAIN then, not a process that stands still.
  const stream = new sonic.SonicBoom({
    fd: process.stdout.fd,
    maxLength: MAX_WAITING_BYTES,
    retryEAGAIN: () => performance.now() < giveUpAt,
  })
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Anything else (a full disk under a file) passes: the line stays in the buffer and goes with the next one.
    readerGone ||= GONE.has(error.code ?? '')
  })
  const flushSync = () => {
    giveUpAt = performance.now() + EXIT_FLUSH_MS
    try {
      if (!readerGone) stream.flushSync()
    } catch {
      readerGone = true // nobody is there to be told
    }
    giveUpAt = Number.POSITIVE_INFINITY
  }
  process.once('exit', flushSync)
  return {
    write(line) {
      if (!readerGone) stream.write(line)
    },
    flushSync,
  }
}
