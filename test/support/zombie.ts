// A process that has ended and that its parent has not asked about: what kill -9 leaves for a moment, or for ever in a
// container without an init.

import { readFile } from 'node:fs/promises'
import { startChild } from './children.ts'
import { waitFor } from './http.ts'

export type Zombie = { pid: number; stop(): Promise<unknown> }

/** The shell starts `true` and becomes a program that never waits for it. */
export async function startZombie(): Promise<Zombie> {
  const parent = await startChild('sh', ['-c', 'true & echo $!; exec sleep 600'])
  const pid = await waitFor(() => Number(parent.output().trim()))
  await waitFor(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z '))
  return { pid, stop: () => parent.stop() }
}
