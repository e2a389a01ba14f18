// Whether a process of this machine still runs.

import { readFileSync } from 'node:fs'

/** False for a zombie: it has ended, only its parent has not asked yet (for ever, in a container without an init). */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: there is one, and it belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !['Z', 'X'].includes(stateOf(pid))
}

/** One letter, as proc(5) names it; empty where /proc does not say. */
function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.charAt(stat.lastIndexOf(')') + 2)
  } catch {
    return '' // not Linux, or it ended just now
  }
}
