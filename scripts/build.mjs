// `npm run build`: TypeScript and assets into dist/, whether or not something changed.

import { build } from './lib/build.mjs'
import { main } from './lib/log.mjs'

await main(() => build({ force: true }), 'npm run build     makes dist/ from the sources')
