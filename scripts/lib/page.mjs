// Bundles the teacher's page: one script and one style sheet, each also compressed, and the HTML that names
// them. Its users have phones on slow lines: every file costs a round trip.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { ROOT } from './paths.mjs'

const SOURCE = join(ROOT, 'src/portal/assets')
/** Placeholder in the HTML for the folder of the assets, relative to the page's address. */
const ASSETS = '__ASSETS__'

/** Bundles into `target`: index.html, version.txt and assets/. Returns the paths of the output. */
export async function buildPage(target) {
  // Imported here: esbuild is needed only for building.
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { main: join(SOURCE, 'main.js'), style: join(SOURCE, 'style.css') },
    outdir: join(target, 'assets'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
  })
  const assets = [
    ...outputFiles.map(({ path, contents }) => ({ path, bytes: Buffer.from(contents) })),
    { path: join(target, 'assets/icon.svg'), bytes: readFileSync(join(SOURCE, 'icon.svg')) },
  ]
  const hash = createHash('sha256')
  for (const { bytes } of assets) hash.update(bytes)
  const version = hash.digest('base64url').slice(0, 16)
  const page = readFileSync(join(SOURCE, 'index.html'), 'utf8').replaceAll(ASSETS, `portal/${version}`)
  const files = [
    ...assets.flatMap(compressed),
    ...compressed({ path: join(target, 'index.html'), bytes: Buffer.from(page) }),
    { path: join(target, 'version.txt'), bytes: Buffer.from(version) },
  ]
  for (const { path, bytes } of files) writeChanged(path, bytes)
  return files.map(({ path }) => path)
}

function compressed({ path, bytes }) {
  return [
    { path, bytes },
    { path: `${path}.br`, bytes: brotliCompressSync(bytes) },
    { path: `${path}.gz`, bytes: gzipSync(bytes, { level: 9 }) },
  ]
}

/** Does not touch unchanged files: a running process may be reading them. */
function writeChanged(path, bytes) {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
