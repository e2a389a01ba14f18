// Bundles the teacher's page and the check page: each one script and one style sheet, also compressed, and the HTML that
// names them. Their users have phones on slow lines: every file costs a round trip.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { bundle } from './browser-bundle.mjs'
import { ROOT } from './paths.mjs'

const SOURCE = join(ROOT, 'src/portal/assets')
/** Placeholder in the HTML for the folder of the assets, relative to the page's address. */
const ASSETS = '__ASSETS__'

/** HTML → the folder of its assets. */
const PAGES = { 'index.html': 'portal', 'verify.html': 'verify' }

/** Bundles into `target`: the HTML, version.txt and assets/. Returns the paths of the output. */
export async function buildPage(target) {
  const entries = ['main.js', 'style.css', 'verify.js', 'verify.css'].map((name) => join(SOURCE, name))
  const outputFiles = await bundle(entries, join(target, 'assets'))
  const assets = [
    ...outputFiles.map(({ path, contents }) => ({ path, bytes: Buffer.from(contents) })),
    { path: join(target, 'assets/icon.svg'), bytes: readFileSync(join(SOURCE, 'icon.svg')) },
  ]
  const hash = createHash('sha256')
  for (const { bytes } of assets) hash.update(bytes)
  const version = hash.digest('base64url').slice(0, 16)
  const pages = Object.entries(PAGES).map(([name, folder]) => {
    const html = readFileSync(join(SOURCE, name), 'utf8').replaceAll(ASSETS, `${folder}/${version}`)
    return { path: join(target, name), bytes: Buffer.from(html) }
  })
  const files = [
    ...assets.flatMap(compressed),
    ...pages.flatMap(compressed),
    { path: join(target, 'version.txt'), bytes: Buffer.from(version) },
  ]
  for (const { path, bytes } of files) writeChanged(path, bytes)
  return files.map(({ path }) => path)
}

export function compressed({ path, bytes }) {
  return [
    { path, bytes },
    { path: `${path}.br`, bytes: brotliCompressSync(bytes) },
    { path: `${path}.gz`, bytes: gzipSync(bytes, { level: 9 }) },
  ]
}

/** Does not touch unchanged files: a running process may be reading them. */
export function writeChanged(path, bytes) {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
