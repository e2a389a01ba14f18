#!/usr/bin/env node
// `songngan [start|service|worker|try|surge|bench|conformance]`: the npm scripts as one command.

const [name = 'start', ...args] = process.argv.slice(2)
if (name === 'start') await import('./start.mjs')
else {
  process.argv.splice(2, process.argv.length, name, ...args)
  await import('./run.mjs')
}
