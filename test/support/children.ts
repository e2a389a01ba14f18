// Child processes of tests: output kept, ended with the test even when the test process is killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type Child = {
  readonly pid: number
  /** Everything written to stdout and stderr so far, in order of arrival. */
  output(): string
  running(): boolean
  readonly exited: Promise<Exit>
  /** Sends a signal and returns at once; false when the process is gone. */
  kill(signal?: NodeJS.Signals): boolean
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<Exit>
}

export type ChildOptions = {
  env?: Record<string, string | undefined>
  cwd?: string
  /** A process that has children of its own to end (a browser, a supervisor) becomes leader of its group. */
  ownGroup?: boolean
}

const SETPRIV = '/usr/bin/setpriv'
const alive = new Set<ChildProcess>()
let cleansUp = false

function endAllOnExit(): void {
  if (cleansUp) return
  cleansUp = true
  process.on('exit', () => {
    for (const child of alive) child.kill('SIGKILL')
  })
}

/**
 * Starts a process. It ends with this one: by an exit hook, and where setpriv(1) exists by a parent-death signal,
 * because a test runner that is killed runs no hooks and a stray server would hold its port.
 */
export function startChild(command: string, args: string[], options: ChildOptions = {}): Promise<Child> {
  endAllOnExit()
  const bound = existsSync(SETPRIV)
  const child = spawn(bound ? SETPRIV : command, bound ? ['--pdeathsig', 'KILL', '--', command, ...args] : args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.ownGroup === true,
  })
  let text = ''
  const keep = (chunk: Buffer) => {
    text += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      alive.delete(child)
      resolve({ code, signal })
    })
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => {
      alive.add(child)
      const running = () => child.exitCode === null && child.signalCode === null
      const kill = (signal: NodeJS.Signals = 'SIGTERM') => running() && child.kill(signal)
      resolve({
        pid: child.pid ?? -1,
        output: () => text,
        running,
        exited,
        kill,
        async stop(graceMs = 5_000) {
          kill('SIGCONT') // a process that a test has frozen must wake up to end
          kill('SIGTERM')
          const timer = setTimeout(() => kill('SIGKILL'), graceMs)
          try {
            return await exited
          } finally {
            clearTimeout(timer)
          }
        },
      })
    })
  })
}
