// Where things lie, whatever directory a script is started from.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')
export const CACHE = join(ROOT, '.cache')
export const DIST = join(ROOT, 'dist')
export const BIN = join(ROOT, 'node_modules/.bin')

/** Reads `.env` of the project, where there is one; what the environment says already wins. */
export function loadEnvFile() {
  const path = join(ROOT, '.env')
  if (existsSync(path)) process.loadEnvFile(path)
}

/** The directory of data, absolute: the default is the one next to this project, not next to the caller. */
export function dataDir(env = process.env) {
  return resolve(ROOT, env.DATA_DIR || 'data')
}
