// Builds the package `@songngan/upload-element`: one script, and its styles for browsers that do not take them from it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundle, ELEMENT } from '../browser-bundle.mjs'
import { say } from '../log.mjs'
import { writeChanged } from '../page.mjs'
import { ROOT } from '../paths.mjs'

const NAME = 'songngan-upload'
/** What npm packs. */
export const ELEMENT_DIST = join(ROOT, 'clients/upload-element/dist')

/** The files of the package by their names. */
export async function elementFiles() {
  const files = await bundle([join(ELEMENT, `${NAME}.js`)], ELEMENT_DIST)
  const types = { path: join(ELEMENT_DIST, `${NAME}.d.ts`), contents: readFileSync(join(ELEMENT, `../${NAME}.d.ts`)) }
  return [...files, types].map(({ path, contents }) => ({ path, bytes: Buffer.from(contents) }))
}

/** The size of its script as it is sent to a browser; the styles are in it. */
export function gzippedBytes(files) {
  const script = files.find(({ path }) => path.endsWith('.js'))
  return gzipSync(script.bytes, { level: 9 }).length
}

/** Builds into `dist` of the package, and says how large it is. */
export async function buildElement() {
  const files = await elementFiles()
  for (const { path, bytes } of files) writeChanged(path, bytes)
  say(`<${NAME}>: ${(gzippedBytes(files) / 1000).toFixed(1)} kB gzipped`)
  return files.map(({ path }) => path)
}
