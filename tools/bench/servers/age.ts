// A Node server that has been up for a while has had a full garbage collection. It matters: with the first one V8 sets
// the limit that later ones follow, close to what was alive then, and bytes in socket buffers count against it. A server
// with a small heap then collects all of it for every few megabytes received, at several times the CPU; a fresh process
// may or may not get there during one measurement, so that it would be measured by chance. Here every Node server gets it.

import { setTimeout as delay } from 'node:timers/promises'
import { descendants, processes } from '../proc.ts'

/** Ignored by a process that does not know it. */
const SIGNAL = 'SIGWINCH'
const COLLECTED_MS = 300

/** For the command line of node. */
export const AGEING = ['--expose-gc', '--import', `data:text/javascript,process.on("${SIGNAL}",()=>globalThis.gc())`]

/** One full garbage collection in every process of the tree. */
export async function age(root: number): Promise<void> {
  for (const { pid } of descendants(root, processes())) process.kill(pid, SIGNAL)
  await delay(COLLECTED_MS)
}
