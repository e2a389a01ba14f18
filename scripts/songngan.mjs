#!/usr/bin/env node
// `songngan COMMAND`: the npm scripts as one command (start, service, worker, try, …), and what operators do beside them
// (inspect, find, retry, …); `songngan --help` lists those.

import { constants } from 'node:os'
import { main } from './lib/log.mjs'
import { NAMES, nodeArguments } from './lib/node-command.mjs'
import { openInstallation } from './lib/operator.mjs'
import { launch } from './lib/processes.mjs'
import { setUp } from './lib/setup.mjs'
import { onSignals } from './lib/signals.mjs'

const [name = '--help', ...args] = process.argv.slice(2)
const isHelp = [name, ...args].some((word) => ['help', '--help', '-h'].includes(word))

/** Runs the command line of dist/, with what it needs opened around it. */
async function operate() {
  await setUp({ tools: false })
  // Help is given without an installation.
  const { env, release } = isHelp ? { env: process.env, release: async () => {} } : await openInstallation()
  const child = launch(process.execPath, nodeArguments('cli', [name, ...args]), { env, stdio: 'inherit' })
  onSignals(
    (signal) => child.kill(signal),
    () => child.kill('SIGKILL'),
  )
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  }).finally(release)
  // A shell's way to say that a signal ended it.
  process.exitCode = code ?? 128 + constants.signals[signal]
}

if (name === 'start') await import('./start.mjs')
else if (NAMES.includes(name) && name !== 'cli') {
  process.argv.splice(2, process.argv.length, name, ...args)
  await import('./run.mjs')
} else await main(operate)
