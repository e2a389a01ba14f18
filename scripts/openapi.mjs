// `npm run openapi`: writes the OpenAPI document of the service into docs/openapi.json.

import { join } from 'node:path'
import { run } from './lib/commands.mjs'
import { main } from './lib/log.mjs'
import { buildPage } from './lib/page.mjs'
import { BIN, ROOT } from './lib/paths.mjs'
import { setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp({ dist: false })
  // The service serves a page too, and does not start without it.
  await buildPage(join(ROOT, 'page'))
  const { code } = await run(join(BIN, 'tsx'), ['test/support/openapi.ts', ...process.argv.slice(2)], { cwd: ROOT })
  process.exitCode = code
}, 'npm run openapi     writes docs/openapi.json as the service serves it')
