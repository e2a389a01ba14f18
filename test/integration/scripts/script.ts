// The scripts are plain JavaScript, so that they run before anything is installed; tests say the types they rely on.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const SCRIPTS = join(import.meta.dirname, '../../../scripts')

/** A module of scripts/, by its path there. */
export async function script<T>(path: string): Promise<T> {
  const module: T = await import(pathToFileURL(join(SCRIPTS, path)).href)
  return module
}
