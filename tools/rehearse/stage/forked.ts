// Child processes of the rehearsal with a message channel: a generator, the load balancer.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'

/** @param entry path from the rehearsal's folder, without extension: TypeScript under tsx, JavaScript when built */
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
