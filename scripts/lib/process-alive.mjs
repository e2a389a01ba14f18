// Whether a process of this machine still runs. src/core/process-alive.ts is the same for the service: scripts run before
// anything is built, so they cannot import it.

import { readFileSync } from 'node:fs'

/** What /proc says of a process: its state, and its start time (process ids are used again). Undefined where it says nothing. */
export function processStat(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0], startTime: fields[19] }
  } catch {
    return undefined // not Linux, or gone
  }
}

/** A zombie has ended: only its parent has not asked yet (for ever, in a container without an init). */
export function isProcessAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return !['Z', 'X'].includes(processStat(pid)?.state)
}
