// Whether a process of this machine is alive.

import { readFileSync } from 'node:fs'

/** False for a zombie: its parent has not waited for it (and never does in a container without an init). */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !['Z', 'X'].includes(stateOf(pid))
}

/** The state letter of proc(5); empty if unknown. */
function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.charAt(stat.lastIndexOf(')') + 2)
  } catch {
    return '' // not Linux, or ended
  }
}
