// Before tests that start the service from its TypeScript: the pages and the packages for portals, as a build makes them.

import { join } from 'node:path'
import { buildClients } from '../scripts/lib/clients/build.mjs'
import { buildPage } from '../scripts/lib/page.mjs'
import { ROOT } from '../scripts/lib/paths.mjs'

export async function setup() {
  await buildPage(join(ROOT, 'page'))
  await buildClients(join(ROOT, 'served-clients'))
}
