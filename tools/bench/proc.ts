// CPU time and memory of a process and its descendants, from /proc.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** USER_HZ: the unit of times in /proc is fixed at 1/100 s on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const KIB = 1024

export type CpuSeconds = { user: number; kernel: number }

export type ProcessStat = { pid: number; parent: number; cpu: CpuSeconds }

/** @param text of /proc/<pid>/stat; see proc(5). Children that ended and were waited for are counted with their parent. */
export function parseStat(text: string): ProcessStat {
  // The name is in parentheses and may itself contain spaces and parentheses.
  const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // Field 3 of proc(5) is the first one here.
  const field = (number: number) => Number(afterName[number - 3])
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    cpu: {
      user: (field(14) + field(16)) / TICKS_PER_SECOND,
      kernel: (field(15) + field(17)) / TICKS_PER_SECOND,
    },
  }
}

/** VmRSS and VmHWM in bytes. @param text of /proc/<pid>/status */
export function parseMemory(text: string): { rssBytes: number; peakBytes: number } {
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return { rssBytes: kib('VmRSS') * KIB, peakBytes: kib('VmHWM') * KIB }
}

/** The text of a file of a process; undefined where the process is gone. */
function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined // the process has ended
  }
}

/** All that run on this machine. */
export function processes(): ProcessStat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    const text = read(Number(pid), 'stat')
    return text === undefined ? [] : [parseStat(text)]
  })
}

/** The process itself and all that descend from it. */
export function descendants(root: number, all: readonly ProcessStat[]): ProcessStat[] {
  const found = all.filter(({ pid }) => pid === root)
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid))
  return found
}

/** CPU time of a process tree so far, all threads. */
export function treeCpu(root: number): CpuSeconds {
  const sum = { user: 0, kernel: 0 }
  for (const { cpu } of descendants(root, processes())) {
    sum.user += cpu.user
    sum.kernel += cpu.kernel
  }
  return sum
}

/** Memory of a process tree. Pages that several of its processes share are counted once for each. */
export function treeMemory(root: number): { rssBytes: number; peakBytes: number } {
  const sum = { rssBytes: 0, peakBytes: 0 }
  for (const { pid } of descendants(root, processes())) {
    const { rssBytes, peakBytes } = parseMemory(read(pid, 'status') ?? '')
    sum.rssBytes += rssBytes
    sum.peakBytes += peakBytes
  }
  return sum
}

/** Resets VmHWM (proc(5), clear_refs: 5). */
export function forgetPeak(root: number): void {
  for (const { pid } of descendants(root, processes())) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** A descendant of this process whose command line contains `text`. */
export function childWith(text: string): number | undefined {
  return descendants(process.pid, processes()).find(
    ({ pid }) => pid !== process.pid && read(pid, 'cmdline')?.includes(text),
  )?.pid
}

export function hasProc(): boolean {
  return existsSync('/proc/self/clear_refs')
}
