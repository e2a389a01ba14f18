// Builds the package `@songngan/client`: one module for Node and browsers, with its declarations.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, tail } from '../commands.mjs'
import { Refusal } from '../log.mjs'
import { writeChanged } from '../page.mjs'
import { BIN, ROOT } from '../paths.mjs'
import { filesUnder, hashOf, readStamp, writeStamp } from '../stamp.mjs'
import { apiTypes } from './api-types.mjs'

const CLIENT = join(ROOT, 'clients/client')
const DOCUMENT = join(ROOT, 'docs/openapi.json')
/** Made from the document, so not in git. */
export const API_TYPES = join(CLIENT, 'src/api-types.ts')
const API_TYPES_STAMP = join(ROOT, '.cache/api-types.stamp')

/** The files of the package, as `{ path, bytes }` below `dist`, which is a folder to work in. */
export async function clientFiles(dist) {
  await writeApiTypes()
  const declared = await run(join(BIN, 'tsc'), ['-p', CLIENT, '--outDir', dist], { quiet: true, cwd: ROOT })
  if (declared.code !== 0) throw new Refusal(`The types of clients/client are wrong:\n${tail(declared.output, 40)}`)
  // Imported here: esbuild is needed only for building.
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(CLIENT, 'src/client.ts')],
    outdir: dist,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
  })
  const bundled = outputFiles.map(({ path, contents }) => ({ path, bytes: Buffer.from(contents) }))
  return [...bundled, ...filesUnder(dist).map((path) => ({ path, bytes: readFileSync(path) }))]
}

/** It takes seconds, and the document changes rarely. */
async function writeApiTypes() {
  const hash = hashOf(ROOT, [DOCUMENT, join(ROOT, 'package-lock.json'), ...filesUnder(import.meta.dirname)])
  if (readStamp(API_TYPES_STAMP) === hash && existsSync(API_TYPES)) return
  writeChanged(API_TYPES, Buffer.from(await apiTypes(JSON.parse(readFileSync(DOCUMENT, 'utf8')))))
  writeStamp(API_TYPES_STAMP, hash)
}
