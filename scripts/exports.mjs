// `node scripts/exports.mjs`: fails if src/ or workers/ export something that only tests use, or nothing. A step of `npm test`.

import { main, shout } from './lib/log.mjs'
import { unusedExports } from './lib/unused-exports.mjs'

const ALLOWED = new Set([
  'workers/media/seccomp.ts: knownCalls', // its tests need the numbers of system calls
])

await main(async () => {
  const found = unusedExports().filter((name) => !ALLOWED.has(name))
  for (const name of found) shout(`exported, but used only by tests: ${name}`)
  if (found.length > 0) process.exitCode = 1
}, 'node scripts/exports.mjs     lists exports of src/ and workers/ that only tests use')
