// ffmpeg processes below a worker that are encoding, and holding them still: a quick machine would be done before a test
// has looked.

import { readFile } from 'node:fs/promises'
import { isProcessAlive } from '../../../src/core/process-alive.ts'
import { descendantsOf, type Process } from '../../integration/workers/descendants.ts'
import { waitFor } from '../../support/http.ts'

/** The encoder that a worker runs just now. */
async function encoderOf(workerPid: number): Promise<Process | undefined> {
  const found = await descendantsOf(workerPid)
  // Behind its wrappers, which become it by exec.
  return found.findLast(({ command }) => /^\S*ffmpeg /.test(command) && command.includes('libx264'))
}

/** Bytes that a process has handed to write(2); 0 for one that has ended. */
async function writtenBytes(pid: number): Promise<number> {
  const counters = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '')
  return Number(/^wchar: (\d+)/m.exec(counters)?.[1] ?? 0)
}

/**
 * Waits until a worker encodes and has written so many bytes of it, and stops that process there (SIGSTOP).
 *
 * @param besides an encoder that is known already
 */
export async function holdEncoder(
  workerPid: number,
  { bytes = 0, besides }: { bytes?: number; besides?: Process } = {},
): Promise<Process> {
  const look = async () => {
    const encoder = await encoderOf(workerPid)
    if (encoder === undefined || encoder.pid === besides?.pid) return undefined
    process.kill(encoder.pid, 'SIGSTOP')
    if ((await writtenBytes(encoder.pid)) >= bytes) return encoder
    process.kill(encoder.pid, 'SIGCONT')
    return undefined
  }
  return await waitFor(look, { intervalMs: 10, what: 'an encode to be under way' })
}

export function letGo({ pid }: Process): void {
  process.kill(pid, 'SIGCONT')
}

/** Resolves when none of these processes runs any more. */
export async function allGone(processes: readonly Process[]): Promise<void> {
  const gone = () => !processes.some(({ pid }) => isProcessAlive(pid))
  await waitFor(gone, { what: 'the processes of a worker to be gone' })
}
