// Ends a process whose event loop stands still. A file on which our own code never comes to an end keeps this process from
// everything: from its other jobs, from its time limits and from signals. Whoever supervises it starts it again, and the
// file counts one death.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Twice as long as the lock of a job: by then another worker has what this one had. */
const LIMIT_MS = 120_000
/** So often the thread looks within that time. */
const LOOKS = 20

/** A text, since a thread has no loader for TypeScript. What it writes looks like any line of the log. */
const THREAD = `
const { writeSync } = require('node:fs')
const { parentPort, workerData } = require('node:worker_threads')
const { beats, everyMs, looks, line } = workerData
let before = -1
let still = 0
setInterval(() => {
  const now = Atomics.load(beats, 0)
  still = now === before ? still + 1 : 0
  before = now
  if (still < looks) return
  try {
    writeSync(2, JSON.stringify({ time: new Date().toISOString(), ...line }) + '\\n')
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
}, everyMs)
parentPort.postMessage('watching')
`

/**
 * Watches from when it resolves. A machine that sleeps, or a process that is stopped, is waited for: what counts is looks,
 * not time.
 */
export async function watchLoop(limitMs = LIMIT_MS): Promise<void> {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const everyMs = limitMs / LOOKS
  setInterval(() => Atomics.add(beats, 0, 1), everyMs / 2).unref()
  const msg = `the event loop stood still for ${limitMs / 1000} s: this process is ended`
  const line = { level: 'fatal', name: 'songngan-worker', msg }
  const thread = new Worker(THREAD, { eval: true, workerData: { beats, everyMs, looks: LOOKS, line } })
  // Before the first job: a thread cannot start without the loop that it is to watch.
  await once(thread, 'message')
  thread.unref()
}
