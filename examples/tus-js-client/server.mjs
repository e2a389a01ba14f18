// What there is to see is in page.js; the server is that of ../own-page.

import { servePage } from '../own-page/serve.mjs'

await servePage(import.meta.dirname)
