// Before tests that start the service from its TypeScript: the page beside it, as a build makes it.

import { join } from 'node:path'
import { buildPage } from '../scripts/lib/page.mjs'
import { ROOT } from '../scripts/lib/paths.mjs'

export async function setup() {
  await buildPage(join(ROOT, 'page'))
}
