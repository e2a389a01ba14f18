// Processes of the rehearsal's own that it talks to: a generator, the balancer.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'

/** @param entry from the folder of the rehearsal, without its ending: TypeScript under tsx, JavaScript when built */
export async function forked(entry: string): Promise<ChildProcess> {
  const ending = extname(import.meta.filename)
  const file = join(import.meta.dirname, '..', `${entry}${ending}`)
  const child = fork(file, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(ending === '.ts' ? { execArgv: ['--import', 'tsx'] } : {}),
  })
  await once(child, 'spawn')
  return child
}

export async function endForked(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
