// The node command line of each program: entry file and V8 flags, from one table.
// The receiving process starts with a large heap: otherwise V8 runs a full collection for every few megabytes of socket
// buffers. The young generation is small (semi-spaces of 4 MiB) and malloc keeps one arena, so that memory of thousands of
// slow connections is returned soon. The heap at most doubles between collections, and does not grow fourfold.
// NODE_OPTIONS does not accept these flags, so they are on the command line.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DIST, ROOT } from './paths.mjs'

const ENTRIES = {
  service: 'src/server.js',
  worker: 'workers/main.js',
  cli: 'src/cli.js',
  try: 'tools/try.js',
  surge: 'tools/surge.js',
  bench: 'tools/bench.js',
  rehearse: 'tools/rehearse.js',
  conformance: 'tools/conformance/main.js',
  corpus: 'tools/corpus/main.js',
  chaos: 'tools/chaos/main.js',
  clients: 'tools/clients/main.js',
  verdict: 'tools/verdict.js',
  neighbours: 'tools/neighbours.js',
  deadline: 'tools/deadline.js',
  fleet: 'tools/fleet.js',
}

export const NAMES = Object.keys(ENTRIES)

const readTable = () => JSON.parse(readFileSync(join(ROOT, 'scripts/node-flags.json'), 'utf8'))

/** Arguments for `process.execPath`. */
export function nodeArguments(name, args = []) {
  const table = readTable()
  const [major = 0] = process.versions.node.split('.').map(Number)
  const newer = major >= 24 ? (table.fromNode24[name] ?? []) : [] // Node 20 exits with "bad option" on an unknown flag
  return [...(table[name] ?? []), ...newer, join(DIST, ENTRIES[name]), ...args]
}

/** Environment variables for malloc, which reads them before the program starts. */
export function nodeEnvironment(name) {
  return readTable().environment[name] ?? {}
}
