import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  childWith,
  descendants,
  hasProc,
  parseMemory,
  parseStat,
  treeCpu,
  treeMemory,
} from '../../../../tools/bench/proc.ts'
import { waitFor } from '../../../support/http.ts'

const cpu = { user: 0, kernel: 0 }

describe('what /proc says', () => {
  it('counts CPU time of a process and of its children that have ended, in seconds', () => {
    const stat = '42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 250 130 50 20 20 0 11 0 5000 1 2 3'
    expect(parseStat(stat)).toEqual({ pid: 42, parent: 7, cpu: { user: 3, kernel: 1.5 } })
  })

  it('reads memory in bytes', () => {
    const status = 'Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n'
    expect(parseMemory(status)).toEqual({ rssBytes: 1024 ** 2, peakBytes: 2 * 1024 ** 2 })
    expect(parseMemory('')).toEqual({ rssBytes: 0, peakBytes: 0 })
  })

  it('finds grandchildren, and nobody else', () => {
    const all = [
      { pid: 5, parent: 4, cpu },
      { pid: 2, parent: 1, cpu },
      { pid: 3, parent: 1, cpu },
      { pid: 4, parent: 2, cpu },
    ]
    expect(descendants(2, all).map(({ pid }) => pid)).toEqual([2, 4, 5])
    expect(descendants(9, all)).toEqual([])
  })
})

describe.runIf(hasProc())('a process tree', () => {
  it('has used the CPU that a child of a child has burned', async () => {
    // By CPU time, not by the clock: a busy machine gives less of the one than of the other.
    const burn = 'while (process.cpuUsage().user < 300_000); setInterval(() => {}, 1e6)'
    const nest = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(burn)}])`
    const child = spawn(process.execPath, ['-e', `${nest}; setInterval(() => {}, 1e6)`])
    const { pid = -1 } = child
    try {
      await waitFor(() => treeCpu(pid).user >= 0.25, { what: 'CPU time of the grandchild' })
      expect(treeMemory(pid).rssBytes).toBeGreaterThan(treeMemory(grandchild(pid)).rssBytes * 1.5)
    } finally {
      process.kill(grandchild(pid), 'SIGKILL')
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  it('is found by what its command line says', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', `found-${process.pid}`])
    try {
      expect(await waitFor(() => childWith(`found-${process.pid}`))).toBe(child.pid)
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })
})

function grandchild(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return Number(children[0])
}
