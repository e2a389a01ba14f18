// Bundles for browsers: the pages, and the element of which the teacher's page is made.

import { join } from 'node:path'
import { ROOT } from './paths.mjs'

/** The sources of `<songngan-upload>`. */
export const ELEMENT = join(ROOT, 'clients/upload-element/src')

/** tus-js-client's source: what it ships as built is for browsers of ten years ago, and a third larger. Ours have a URL class. */
const SMALLER = {
  'tus-js-client': join(ROOT, 'node_modules/tus-js-client/lib/browser/index.js'),
  'url-parse': join(ELEMENT, 'sending/native-url.js'),
}

/** One file of each entry: `[{ path, contents, text }]`; nothing is written. */
export async function bundle(entryPoints, outdir) {
  // Imported here: esbuild is needed only for building.
  const { build } = await import('esbuild')
  const run = async (entries, define) => {
    const { outputFiles } = await build({
      absWorkingDir: ROOT,
      entryPoints: entries,
      outdir,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      alias: SMALLER,
      define,
      charset: 'utf8',
      write: false,
      logLevel: 'silent',
    })
    return outputFiles
  }
  const [styles] = await run([join(ELEMENT, 'songngan-upload.css')], {})
  const rest = await run(entryPoints, { STYLES: JSON.stringify(styles.text) })
  return [...rest, styles]
}
