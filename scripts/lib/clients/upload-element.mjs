// Builds the package `@songngan/upload-element`: one script, and its styles for browsers that do not take them from it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundle, ELEMENT } from '../browser-bundle.mjs'
import { say } from '../log.mjs'

const NAME = 'songngan-upload'

/** The files of the package, as `{ path, bytes }` below `dist`; says how large the script is. */
export async function elementFiles(dist) {
  const files = await bundle([join(ELEMENT, `${NAME}.js`)], dist)
  const types = { path: join(dist, `${NAME}.d.ts`), contents: readFileSync(join(ELEMENT, `../${NAME}.d.ts`)) }
  const built = [...files, types].map(({ path, contents }) => ({ path, bytes: Buffer.from(contents) }))
  say(`<${NAME}>: ${(gzippedBytes(built) / 1000).toFixed(1)} kB gzipped`)
  return built
}

/** The size of its script as it is sent to a browser; the styles are in it. */
export function gzippedBytes(files) {
  const script = files.find(({ path }) => path.endsWith('.js'))
  return gzipSync(script.bytes, { level: 9 }).length
}
