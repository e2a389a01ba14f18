// `npm run build`: builds TypeScript and assets into dist/, even if nothing changed.

import { build } from './lib/build.mjs'
import { main } from './lib/log.mjs'

await main(() => build({ force: true }), 'npm run build     builds dist/ from the sources')
