// Paths, independent of the current directory.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')
export const CACHE = join(ROOT, '.cache')
export const DIST = join(ROOT, 'dist')
export const BIN = join(ROOT, 'node_modules/.bin')

/** Reads the project's `.env`, if there is one; variables of the environment win. */
export function loadEnvFile() {
  const path = join(ROOT, '.env')
  if (existsSync(path)) process.loadEnvFile(path)
}

/** DATA_DIR as an absolute path; the default is in the project, not in the current directory. */
export function dataDir(env = process.env) {
  return resolve(ROOT, env.DATA_DIR || 'data')
}
