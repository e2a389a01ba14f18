#!/usr/bin/env node
// `songngan COMMAND`: the npm scripts as one command (start, service, worker, try, …), and the operators' commands
// (inspect, find, retry, …); `songngan --help` lists those.

import { main } from './lib/log.mjs'
import { NAMES } from './lib/node-command.mjs'
import { openInstallation } from './lib/operator.mjs'
import { runPart } from './lib/part.mjs'
import { setUp } from './lib/setup.mjs'

const [name = '--help', ...args] = process.argv.slice(2)
/** Commands for any machine. */
const ALONE = ['probe', 'verify-receipt']
const isHelp = [name, ...args].some((word) => ['help', '--help', '-h'].includes(word))

/** Runs the command line of dist/ with its environment and Redis. */
async function operate() {
  await setUp({ tools: false })
  // Help needs no installation, and these commands none either.
  const { env, release } =
    isHelp || ALONE.includes(name) ? { env: process.env, release: async () => {} } : await openInstallation()
  process.exitCode = await runPart('cli', [name, ...args], env).finally(release)
}

if (name === 'start') await import('./start.mjs')
else if (NAMES.includes(name) && name !== 'cli') {
  process.argv.splice(2, process.argv.length, name, ...args)
  await import('./run.mjs')
} else await main(operate)
