// Supervises a process: restarts it after a crash with growing delays, and stops it on request.

import { spawn } from 'node:child_process'
import { which } from './commands.mjs'
import { eachLine } from './lines.mjs'
import { say } from './log.mjs'

/** EX_CONFIG: a configuration error; a restart would fail again. */
export const EXIT_CONFIG = 78

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A process that ran this long is restarted without delay. */
const STABLE_MS = 60_000

/** On Node 20 the S3 SDK prints a deprecation warning among the JSON log lines. */
export const QUIET_SDK = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }

/**
 * Starts a program in its own process group: Ctrl-C reaches only this process, which stops the others in order.
 * If this process is killed, the kernel sends the child SIGTERM (needs setpriv of util-linux).
 */
export function launch(program, args, { env, stdio }) {
  const setpriv = which('setpriv')
  const [command, all] =
    setpriv === undefined ? [program, args] : [setpriv, ['--pdeathsig', 'TERM', '--', program, ...args]]
  return spawn(command, all, { env: { ...QUIET_SDK, ...env }, stdio, detached: true })
}

/** Signals the process and all its children. */
function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: all gone
  }
}

/**
 * `onLine(line, isError)` gets its output. `onFinal(code)` is called once if a restart is useless (exit code 78, or a
 * program that cannot be started). `stop(graceMs)` sends SIGTERM, then SIGKILL to the whole group.
 */
export function supervise({ name, program, args, env, onLine, onFinal }) {
  let child
  let timer
  let pauseMs = FIRST_PAUSE_MS
  let stopping = false
  let ended = Promise.resolve()

  const start = () => {
    const startedAt = Date.now()
    const current = launch(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    child = current
    eachLine(current.stdout, (line) => onLine(line, false))
    eachLine(current.stderr, (line) => onLine(line, true))
    ended = new Promise((resolve) => {
      current.once('error', (error) => {
        say(`${name} cannot be started: ${error.message}`)
        resolve()
        onFinal(EXIT_CONFIG)
      })
      // Remaining children would keep its ports and its output open: `close` might never come.
      current.once('exit', () => signalGroup(current, 'SIGKILL'))
      current.once('close', (code, signal) => {
        child = undefined
        resolve()
        if (!stopping) onEnd(code, signal, Date.now() - startedAt)
      })
    })
  }
  const onEnd = (code, signal, ranMs) => {
    if (code === EXIT_CONFIG) {
      onFinal(code)
      return
    }
    if (ranMs > STABLE_MS) pauseMs = FIRST_PAUSE_MS
    say(`${name} ended (${signal ?? `code ${code}`}); restarting in ${pauseMs / 1_000} s`)
    timer = setTimeout(start, pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }

  start()
  return {
    name,
    async stop(graceMs) {
      stopping = true
      clearTimeout(timer)
      child?.kill('SIGTERM')
      const killer = setTimeout(() => child && signalGroup(child, 'SIGKILL'), graceMs)
      await ended
      clearTimeout(killer)
    },
    kill() {
      stopping = true
      clearTimeout(timer)
      if (child) signalGroup(child, 'SIGKILL')
    },
  }
}
