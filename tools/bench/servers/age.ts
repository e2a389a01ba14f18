// A Node server that has run for some time has had a full garbage collection. This matters: at the first one V8 sets the
// limit for later ones, close to the live size at that moment, and bytes in socket buffers count against it. A server
// with a small heap then does a full collection for every few megabytes received, at several times the CPU. A fresh
// process may or may not reach this state during a measurement, so every Node server gets one full collection first.

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
