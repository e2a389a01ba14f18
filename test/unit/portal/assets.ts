// Parts of the page and of the element that need no browser, loaded as they are served.

import { join } from 'node:path'

const PAGE = join(import.meta.dirname, '../../../src/portal/assets')
const ELEMENT = join(import.meta.dirname, '../../../clients/upload-element/src')

/** A module of the page by its path below the assets. What it exports is for the test to say. */
export async function asset<Module>(path: string): Promise<Module> {
  return (await import(join(PAGE, path))) as Module
}

/** A module of the element by its path below its sources. */
export async function elementPart<Module>(path: string): Promise<Module> {
  return (await import(join(ELEMENT, path))) as Module
}
