// The node command line of each part: entry and V8 flags, from one table.
// The receiving process starts with a large heap: V8 otherwise runs a full collection for every few megabytes of socket
// buffers. Young ones are collected every 8 MB and malloc keeps one arena: what thousands of slow lines bring is then
// given back soon. NODE_OPTIONS does not take these flags, so they stand on the command line.

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
  fleet: 'tools/fleet.js',
}

export const NAMES = Object.keys(ENTRIES)

const readTable = () => JSON.parse(readFileSync(join(ROOT, 'scripts/node-flags.json'), 'utf8'))

/** Arguments for `process.execPath`. */
export function nodeArguments(name, args = []) {
  const table = readTable()
  const [major = 0] = process.versions.node.split('.').map(Number)
  const newer = major >= 24 ? (table.fromNode24[name] ?? []) : [] // an unknown flag ends Node 20 with "bad option"
  return [...(table[name] ?? []), ...newer, join(DIST, ENTRIES[name]), ...args]
}

/** What a part's environment has besides its settings: malloc reads its own before the first line of ours runs. */
export function nodeEnvironment(name) {
  return readTable().environment[name] ?? {}
}
