// A process that has ended and that its parent has not asked about: what kill -9 leaves for a moment, or for ever in a
// container without an init.

import { readFile } from 'node:fs/promises'
import { startChild } from './children.ts'
import { waitFor } from './http.ts'

export type Zombie = { pid: number; stop(): Promise<unknown> }

/** The shell starts a child and becomes a program that never waits for it; only then does the child end. */
export async function startZombie(): Promise<Zombie> {
  const parent = await startChild('sh', ['-c', 'sleep 600 & echo $!; exec sleep 601'])
  const pid = await waitFor(() => Number(parent.output().trim()))
  await waitFor(async () => (await readFile(`/proc/${parent.pid}/cmdline`, 'utf8')).startsWith('sleep'))
  process.kill(pid, 'SIGKILL')
  await waitFor(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z '))
  return { pid, stop: () => parent.stop() }
}
