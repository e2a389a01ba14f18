// CPU and memory of all processes, each second, by name.

import { readFileSync } from 'node:fs'
import { descendants, parseMemory, processes } from '../../bench/proc.ts'

export type Watched = {
  name: string
  /** Current pid; undefined while it is not running. */
  pid(): number | undefined
  /** Used if the kernel's count would be wrong, because it includes ended children. */
  cpuSeconds?: () => number
}

export type UsageSample = {
  /** CPU of the process and its children in per cent of one core, since the previous sample. */
  cpuPercent: number
  /** Memory of the process alone: a worker's media tools start and end. */
  rssBytes: number
}

type Seen = { pid: number; cpuSeconds: number; atMs: number }

export class UsageWatch {
  readonly #watched: readonly Watched[]
  readonly #seen = new Map<string, Seen>()
  /** Total so far, over all restarts of a process. */
  readonly cpuSeconds: Record<string, number> = {}
  readonly peakRssBytes: Record<string, number> = {}

  constructor(watched: readonly Watched[]) {
    this.#watched = watched
  }

  sample(nowMs: number): Record<string, UsageSample> {
    const all = processes()
    const result: Record<string, UsageSample> = {}
    for (const { name, pid: pidOf, cpuSeconds: own } of this.#watched) {
      const pid = pidOf()
      const tree = pid === undefined ? [] : descendants(pid, all)
      if (pid === undefined || tree.length === 0) continue
      const cpuSeconds = own?.() ?? tree.reduce((sum, { cpu }) => sum + cpu.user + cpu.kernel, 0)
      const before = this.#seen.get(name)
      const same = before?.pid === pid
      // The CPU time of a tool that ended unwaited is lost; the difference must not become negative.
      const usedSeconds = Math.max(0, cpuSeconds - (same ? before.cpuSeconds : 0))
      const passedSeconds = same ? (nowMs - before.atMs) / 1000 : 0
      this.#seen.set(name, { pid, cpuSeconds, atMs: nowMs })
      const rssBytes = rssOf(pid)
      this.cpuSeconds[name] = (this.cpuSeconds[name] ?? 0) + usedSeconds
      this.peakRssBytes[name] = Math.max(this.peakRssBytes[name] ?? 0, rssBytes)
      const cpuPercent = passedSeconds > 0 ? (100 * usedSeconds) / passedSeconds : 0
      result[name] = { cpuPercent, rssBytes }
    }
    return result
  }
}

function rssOf(pid: number): number {
  try {
    return parseMemory(readFileSync(`/proc/${pid}/status`, 'utf8')).rssBytes
  } catch {
    return 0 // the process has ended
  }
}
