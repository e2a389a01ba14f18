// Parts of the page that need no browser, loaded as they are served.

import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../../src/portal/assets')

/** A module of the page by its path below the assets. What it exports is for the test to say. */
export async function asset<Module>(path: string): Promise<Module> {
  return (await import(join(FOLDER, path))) as Module
}
