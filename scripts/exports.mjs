// `node scripts/exports.mjs`: fails where src/ or workers/ export what only tests use, or nobody. A step of `npm test`.

import { main, shout } from './lib/log.mjs'
import { unusedExports } from './lib/unused-exports.mjs'

const ALLOWED = new Set([
  'workers/media/seccomp.ts: knownCalls', // its tests look up the numbers of the calls that they make
])

await main(async () => {
  const found = unusedExports().filter((name) => !ALLOWED.has(name))
  for (const name of found) shout(`exported, and used by nothing but tests: ${name}`)
  if (found.length > 0) process.exitCode = 1
}, 'node scripts/exports.mjs     exports of src/ and workers/ that nothing but tests uses')
