// What a process of this machine is doing, and whether it still runs.

import { readFileSync, readlinkSync } from 'node:fs'

/** False for a zombie: its parent has not waited for it (and never does in a container without an init). */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !['Z', 'X'].includes(processStat(pid)?.state ?? '')
}

/**
 * What proc(5) says of a process: its state in one letter, its number of threads, and when it began, in clock ticks since
 * boot. Process ids are used again: after a restart in a container the new process often has the id of the dead one.
 *
 * @returns undefined where there is no such process, or no /proc
 */
export function processStat(pid: number): { state: string; threads: number; startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', threads: Number(fields[17]), startTime: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/** Names this process for others: where it can be seen from, its id and when it began. Empty where there is no /proc. */
export function processIdentity(): string {
  const place = seenFrom()
  return place === '' ? '' : `${place} ${process.pid} ${processStat(process.pid)?.startTime}`
}

/** What is known here of the process of an identity. `unseen`: it is of another machine or container, or hidden from this user. */
export function lifeOf(identity: string): 'alive' | 'ended' | 'unseen' {
  const [boot, namespace, pid, startTime] = identity.split(' ')
  if (seenFrom() === '' || `${boot} ${namespace}` !== seenFrom()) return 'unseen'
  const stat = processStat(Number(pid))
  // Hidden: a process of that id is there, but nobody can say whether it is the same one.
  if (stat === undefined) return isProcessAlive(Number(pid)) ? 'unseen' : 'ended'
  return stat.startTime !== startTime || ['Z', 'X'].includes(stat.state) ? 'ended' : 'alive'
}

/** This boot of this machine, and its process ids as they are seen here: containers have their own. */
function seenFrom(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}
