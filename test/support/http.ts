// Waiting for conditions and finding ports: what nearly every test with a real server needs.

import { createServer } from 'node:net'

// Below those that Linux gives by itself, to any connection that goes out; above those that browsers refuse.
const FIRST_PORT = 11_000
const LAST_PORT = 32_000
const given = new Set<number>()

/** A TCP port on 127.0.0.1 that was free a moment ago; not given twice in this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * Far beyond what a busy machine needs: only what will never come is given up. Where everything else is busy, encoders, which
 * have the least priority, need minutes to begin.
 */
export const PATIENCE_MS = 300_000

export type WaitOptions = {
  /** Gives up after this long [300 s]. */
  timeoutMs?: number
  intervalMs?: number
  /** Names the condition in the error. */
  what?: string
}

/**
 * Asks repeatedly until `condition` gives something truthy, and returns it.
 * A condition that throws counts as not yet; its last error is the cause of the rejection.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const { timeoutMs = PATIENCE_MS, intervalMs = 20, what = condition.toString() } = options
  const giveUpAt = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value as Exclude<T, undefined | null | false>
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() >= giveUpAt) {
      throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`, { cause: last })
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs))
  }
}

/** The status of a GET, or 0 where nobody answers. */
export async function statusOf(url: string): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0 // refused, reset or silent: for the caller, nobody is there
  }
}
