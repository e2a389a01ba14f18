// `node scripts/exports.mjs`: fails where src/ or workers/ export what only tests use, or nobody; see lib/unused-exports.mjs.
// A step of `npm test`.

import { main, shout } from './lib/log.mjs'
import { unusedExports } from './lib/unused-exports.mjs'

await main(async () => {
  const found = unusedExports()
  for (const name of found)
    shout(`exported, and imported by nothing but tests (make it private, or say @internal): ${name}`)
  if (found.length > 0) process.exitCode = 1
}, 'node scripts/exports.mjs     exports of src/ and workers/ that nothing but tests uses')
