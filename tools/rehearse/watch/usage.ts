// CPU and memory of everything that takes part, each second, by name.

import { readFileSync } from 'node:fs'
import { descendants, parseMemory, processes } from '../../bench/proc.ts'

export type Watched = {
  name: string
  /** Now; undefined while it is away. */
  pid(): number | undefined
  /** Where the kernel's count would not do: it has that of ended children in it. */
  cpuSeconds?: () => number
}

export type UsageSample = {
  /** Of the process and all it started, in per cent of one core, since the sample before. */
  cpuPercent: number
  /** Of the process alone: tools of a worker come and go. */
  rssBytes: number
}

type Seen = { pid: number; cpuSeconds: number; atMs: number }

export class UsageWatch {
  readonly #watched: readonly Watched[]
  readonly #seen = new Map<string, Seen>()
  /** So far, all lives of a process together. */
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
      // A tool that ended unwaited takes its seconds with it: never less than nothing.
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
    return 0 // ended between two looks
  }
}
