// Finds leftover processes: by a mark in their environment or by the data folder in their command line.

import { readFileSync } from 'node:fs'
import { descendants, processes } from '../../bench/proc.ts'

export type Stray = { pid: number; command: string }

/**
 * @param traces texts that only this run uses: a mark in the environment, a directory
 * @param known root processes that are expected to run
 */
export function strays(traces: readonly string[], known: readonly number[]): Stray[] {
  const all = processes()
  const ours = new Set([process.pid, ...known.flatMap((pid) => descendants(pid, all).map((one) => one.pid))])
  return all
    .filter(({ pid }) => !ours.has(pid))
    .flatMap(({ pid }) => {
      const command = textOf(pid, 'cmdline')
      const found = traces.some((trace) => command.includes(trace) || textOf(pid, 'environ').includes(trace))
      return found ? [{ pid, command: command.replaceAll('\0', ' ').slice(0, 160) }] : []
    })
}

function textOf(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return '' // the process has ended, or may not be read
  }
}
