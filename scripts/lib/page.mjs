// Bundles the teacher's page and the check page: each one script and one style sheet, also compressed, and the HTML that
// names them. Their users have phones on slow lines: every file costs a round trip.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { ROOT } from './paths.mjs'

const SOURCE = join(ROOT, 'src/portal/assets')
/** Placeholder in the HTML for the folder of the assets, relative to the page's address. */
const ASSETS = '__ASSETS__'
/** Its source: what it ships as built is for browsers of ten years ago, and a third larger. Ours have a URL class of their own. */
const SMALLER = {
  'tus-js-client': join(ROOT, 'node_modules/tus-js-client/lib/browser/index.js'),
  'url-parse': join(SOURCE, 'sending/native-url.js'),
}

/** HTML → the folder of its assets. */
const PAGES = { 'index.html': 'portal', 'verify.html': 'verify' }

/** Bundles into `target`: the HTML, version.txt and assets/. Returns the paths of the output. */
export async function buildPage(target) {
  // Imported here: esbuild is needed only for building.
  const { build } = await import('esbuild')
  const bundle = async (names, more = {}) => {
    const { outputFiles } = await build({
      absWorkingDir: ROOT,
      entryPoints: names.map((name) => join(SOURCE, name)),
      outdir: join(target, 'assets'),
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      alias: SMALLER,
      charset: 'utf8',
      write: false,
      logLevel: 'silent',
      ...more,
    })
    return outputFiles
  }
  const styles = await bundle(['songngan-upload.css', 'style.css', 'verify.css'])
  const element = styles.find(({ path }) => path.endsWith('songngan-upload.css'))
  const scripts = await bundle(['main.js', 'verify.js'], { define: { STYLES: JSON.stringify(element.text) } })
  const outputFiles = [...scripts, ...styles]
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
