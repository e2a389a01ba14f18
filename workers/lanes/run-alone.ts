// Runs a job whose earlier runs killed two workers in a separate process, so that no other job is affected.

import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getHeapStatistics } from 'node:v8'
import type { LaneName } from '../../src/records/upload-record.ts'

/** What the process is told, as its only argument. */
export type AloneJob = {
  lane: LaneName
  id: string
  uploadId: string
  generation: number
  attemptsMade: number
  stalledCounter: number
  attempts: number
  /** W3C traceparent of the run's span. */
  trace?: string
}

/** What it says before it ends; `released`: after how many milliseconds the job is to be tried again. */
export type AloneResult = { outcome: string } | { error: string; isFinal: boolean } | { released: number }

const ENTRY = fileURLToPath(new URL(`../alone${extname(import.meta.filename)}`, import.meta.url))
const MIB = 1024 ** 2
/** From its word, or the request to end, to the end without asking. */
const KILL_GRACE_MS = 10_000

type AloneLimits = { signal: AbortSignal; limitMs: number; graceMs?: number; entry?: string }

/**
 * Runs one job in a process with half of this one's heap.
 *
 * @param limitMs after which it is killed
 * @returns what it said; undefined where it ended without a word
 */
export async function runAlone(
  job: AloneJob,
  { signal, limitMs, graceMs = KILL_GRACE_MS, entry = ENTRY }: AloneLimits,
): Promise<AloneResult | undefined> {
  const heapMib = Math.max(64, Math.floor(getHeapStatistics().heap_size_limit / MIB / 2))
  const child = fork(entry, [JSON.stringify(job)], {
    execArgv: [...process.execArgv, `--max-old-space-size=${heapMib}`],
    // In a group of its own: whoever kills the worker's group must not kill it before it gives its job back.
    detached: true,
  })
  const kill = () => child.kill('SIGKILL')
  const limit = setTimeout(kill, limitMs)
  let patience: NodeJS.Timeout | undefined
  const killLater = () => {
    patience ??= setTimeout(kill, graceMs)
  }
  const end = () => {
    child.kill('SIGTERM')
    killLater()
  }
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  let said: AloneResult | undefined
  child.on('message', (message) => {
    said = message as AloneResult
    // What it has to close may hang: Redis may have gone away.
    killLater()
  })
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => resolve())
    })
  } finally {
    clearTimeout(limit)
    clearTimeout(patience)
    signal.removeEventListener('abort', end)
  }
  return said
}
