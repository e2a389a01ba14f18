// Whether a process of this machine is alive. src/core/process-alive.ts does the same for the service: scripts run before
// anything is built, so they cannot import it.

import { readFileSync } from 'node:fs'

/** State and start time of a process from /proc (process ids are reused). Undefined: no such process, or no /proc. */
export function processStat(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], startTime: fields[19] }
  } catch {
    return undefined // not Linux, or gone
  }
}

/** A zombie counts as dead: its parent has not waited for it (and never does in a container without an init). */
export function isProcessAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return !['Z', 'X'].includes(processStat(pid)?.state)
}
