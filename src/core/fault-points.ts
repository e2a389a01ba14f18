// Fault injection: named steps of an upload at which a test can kill this process, like a power cut. Off unless the
// configuration names a folder: a file `armed` in it ("<name> <nth hit> <token>") names the step.
// It is global state of the process, since the process dies.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** All steps, in the order of an upload. A step that no code reaches fails the chaos suite. */
export const FAULT_POINTS = [
  'create.before-hot',
  'create.after-hot',
  'create.before-answer',
  'patch.lock-taken',
  'patch.bytes-written',
  'patch.synced',
  'patch.part-in-flight',
  'patch.part-sent',
  'patch.part-committed',
  'patch.tail-written',
  'patch.tail-committed',
  'patch.first-record',
  'patch.offset-committed',
  'patch.before-answer',
  'checkpoint.flushed',
  'spool.appended',
  'head.flushed',
  'take-over.yielding',
  'take-over.asked',
  'take-over.lock-taken',
  'take-over.recovered',
  'finish.bytes-durable',
  'finish.hot-finishing',
  'finish.single-announced',
  'finish.record-stored',
  'finish.hot-ended',
  'finish.before-answer',
  'complete.before-assembly',
  'complete.assembled',
  'complete.before-enqueue',
  'complete.after-enqueue',
  'concat.after-hot',
  'concat.record-stored',
  'concat.joined',
  'concat.partial-ended',
  'version.created',
  'terminate.before-commit',
  'terminate.committed',
  'terminate.bytes-removed',
  'erase.head-committed',
  'erase.upload-committed',
  'erase.upload-removed',
  'erase.uploads-erased',
  'erase.head-removed',
  'expire.committed',
  'expire.hot-ended',
  'seal.before-commit',
  'seal.committed',
  'seal.unfinished-ended',
  'return.before-commit',
  'return.committed',
  'receipt.key-stored',
  'receipt.signed',
  'validate.started',
  'validate.before-record',
  'validate.recorded',
  'verdict.lanes-queued',
  'inspect.started',
  'inspect.before-record',
  'inspect.recorded',
  'transcode.started',
  'transcode.ffmpeg-running',
  'transcode.rendition-written',
  'transcode.rendition-recorded',
  'transcode.before-record',
  'transcode.recorded',
  'notify.queued',
  'notify.before-post',
  'notify.after-post',
  'reconcile.generation-recorded',
  'maintain.before-delete',
  'maintain.deleted',
] as const

export type FaultPoint = (typeof FAULT_POINTS)[number]

let folder: string | undefined
let token = ''
let hits = 0

/** Enables fault injection or, without a folder, disables it. Called once at start. */
export function openFaultPoints(armedIn: string | undefined): void {
  folder = armedIn
  token = ''
  hits = 0
}

/** Kills the process if a test has armed this step. Disabled, it is one comparison. */
export function faultPoint(name: FaultPoint): void {
  if (folder !== undefined) strike(folder, name)
}

function strike(dir: string, name: FaultPoint): void {
  const armed = join(dir, 'armed')
  let words: string[]
  try {
    words = readFileSync(armed, 'utf8').trim().split(' ')
    if (words[0] !== name) return
    if (words[2] !== token) hits = 0
    token = words[2] ?? ''
    if (++hits < Number(words[1])) return
    // Renamed, so that only one process dies, and only once.
    renameSync(armed, join(dir, `struck-${token}`))
  } catch (error) {
    // Nothing is armed, or another process was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const fd = openSync(join(dir, 'hits'), 'a')
  writeSync(fd, `${name} ${process.pid} ${token}\n`)
  fsyncSync(fd)
  closeSync(fd)
  process.kill(process.pid, 'SIGKILL')
}
