// Peak memory of a row: the kernel's high-water mark (VmHWM) of every descendant process, read while the tools run, and
// of this process. The mark only rises, so at most a tool's last milliseconds are missed.

import { readFileSync, writeFileSync } from 'node:fs'

const INTERVAL_MS = 5
const KIB = 1024

export type Peak = { bytes: number; tool: string | null }

export type MemoryWatch = {
  /** Ends the watch. @returns the tool with the highest peak, and the peak growth of this process */
  stop(): { tool: Peak; ownGrowthBytes: number }
}

export function watchMemory(): MemoryWatch {
  resetOwnMark()
  const before = statusOf('self')?.rss ?? 0
  const tool: Peak = { bytes: 0, tool: null }
  const look = (): void => {
    for (const pid of descendants(process.pid)) {
      const status = statusOf(String(pid))
      if (status === null || status.peak <= tool.bytes) continue
      tool.bytes = status.peak
      tool.tool = status.name
    }
  }
  const timer = setInterval(look, INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      return { tool, ownGrowthBytes: Math.max(0, (statusOf('self')?.peak ?? 0) - before) }
    },
  }
}

/** Resets VmHWM of this process to its current size (proc(5), clear_refs). */
function resetOwnMark(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // Not permitted here: the mark then includes earlier rows, so it can only be too high.
  }
}

function statusOf(pid: string): { name: string; rss: number; peak: number } | null {
  const text = readProc(`${pid}/status`)
  const kib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  const name = /^Name:\s+(.+)$/m.exec(text)?.[1]
  return name === undefined ? null : { name, rss: kib('VmRSS') * KIB, peak: kib('VmHWM') * KIB }
}

/** All descendants except this run's own Redis. */
function descendants(pid: number): number[] {
  const children = readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => {
    const command = readProc(`${child}/comm`).trim()
    return command.startsWith('redis') ? [] : [child, ...descendants(child)]
  })
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return '' // gone meanwhile
  }
}
