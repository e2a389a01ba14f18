// `npm run openapi`: writes the OpenAPI document of the service into docs/openapi.json.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildClients } from './lib/clients/build.mjs'
import { run } from './lib/commands.mjs'
import { main } from './lib/log.mjs'
import { buildPage } from './lib/page.mjs'
import { BIN, ROOT } from './lib/paths.mjs'
import { setUp } from './lib/setup.mjs'

await main(
  async () => {
    await setUp({ dist: false })
    // The service serves a page and packages too, and does not start without them. The packages are made from the document that
    // is there: where they do not fit the newest one any more, they are mended afterwards.
    await buildPage(join(ROOT, 'page'))
    if (!existsSync(join(ROOT, 'served-clients'))) await buildClients(join(ROOT, 'served-clients'))
    const { code } = await run(join(BIN, 'tsx'), ['test/support/openapi.ts', ...process.argv.slice(2)], { cwd: ROOT })
    process.exitCode = code
  },
  `npm run openapi                writes docs/openapi.json as the service serves it, and the examples of events
  npm run openapi -- --accept     and makes it the released one, which later changes must not break`,
)
