// The node command line of each part: entry and V8 flags, from one table.
// The receiving process starts with a large heap: V8 otherwise runs a full collection for every few megabytes of socket
// buffers, which on S3 gather into parts; on local disk they are gone at once, and a small heap is as fast. NODE_OPTIONS
// does not take these flags, so they stand on the command line.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DIST, ROOT } from './paths.mjs'

const ENTRIES = {
  service: 'src/server.js',
  worker: 'workers/main.js',
  cli: 'src/cli.js',
  try: 'test/load/try.js',
  surge: 'test/load/surge.js',
  bench: 'test/load/bench.js',
  rehearse: 'test/load/rehearse.js',
  conformance: 'test/conformance/main.js',
  corpus: 'test/corpus/main.js',
  chaos: 'test/chaos/main.js',
  verdict: 'test/load/verdict.js',
  fleet: 'test/load/fleet.js',
}

export const NAMES = Object.keys(ENTRIES)

/** Arguments for `process.execPath`. */
export function nodeArguments(name, args = []) {
  const table = JSON.parse(readFileSync(join(ROOT, 'scripts/node-flags.json'), 'utf8'))
  const [major = 0] = process.versions.node.split('.').map(Number)
  const newer = major >= 24 ? (table.fromNode24[name] ?? []) : [] // an unknown flag ends Node 20 with "bad option"
  const onDisk = name === 'service' && process.env.STORAGE !== 's3'
  return [...(table[onDisk ? 'serviceOnDisk' : name] ?? []), ...newer, join(DIST, ENTRIES[name]), ...args]
}
