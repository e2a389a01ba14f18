// Bundles the programs that are started again and again, each with its packages: node loads some ten files in place of 1,900, which
// is most of the CPU of a start. In dist/ the file of such a program only imports its bundle.

import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { DIST, ROOT } from './paths.mjs'

/** The last one is for tests: the images are built without them. */
const PROGRAMS = ['src/server', 'src/cli', 'workers/main', 'workers/alone', 'test/support/quick-worker']
/** In files of their own, or one would be so large that node needs 10 MB more to load it. */
const PARTS = ['bullmq', 'fastify', 'ioredis', 'typebox']
const BUNDLES = join(DIST, 'bundled')
/** Loaded only where the store is S3 or traces are on. A running process may load more of them later: not from files that a build replaces. */
const OUTSIDE = [
  '@aws-sdk/*',
  '@smithy/*',
  '@opentelemetry/exporter-*',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace',
]

/** Begins each file: `require` for packages in CommonJS, and the path to where a module was. */
const HEAD = `import { createRequire as __createRequire } from 'node:module'
import { join as __join } from 'node:path'
import { pathToFileURL as __pathToFileURL } from 'node:url'
const require = __createRequire(import.meta.url)
const __was = (path) => __join(import.meta.dirname, path)
`

/** Modules that look for files beside themselves are told where they would be without a bundle. */
const PLACE = { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' }
const asksWhere = /\bimport\.meta\b|\b__(dirname|filename)\b/
const places = {
  name: 'places',
  setup(build) {
    build.onLoad({ filter: /\.([cm]?js|ts)$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!asksWhere.test(text)) return undefined
      const isOwn = path.endsWith('.ts')
      const file = isOwn ? builtFrom(path) : path
      const was = (place) => `__was(${JSON.stringify(relative(BUNDLES, place))})`
      const declared = `const __filename = ${was(file)}, __dirname = ${was(dirname(file))}, __url = __pathToFileURL(__filename).href;`
      return { contents: `${declared} ${text}`, loader: isOwn ? 'ts' : 'js' }
    })
  },
}

const builtFrom = (source) => join(DIST, relative(ROOT, source)).replace(/\.ts$/, '.js')

const NAMER = 'var __name = (target, value) => __defProp(target, "name", { value, configurable: true });'

/**
 * esbuild names every function again, each time that it is made: a POST cost an eighth more CPU. Only classes keep their
 * names, on the same lines.
 */
function classNames(text) {
  return text
    .replace(NAMER, 'var __name = (target) => target;')
    .replace(
      /(static \{\s*)__name\(this, (".*?")\);/g,
      '$1Object.defineProperty(this, "name", { value: $2, configurable: true });',
    )
}

/** `[{ path, contents }]`: the bundles with their source maps, and the programs' own files; nothing is written. */
export async function bundlePrograms() {
  // Imported here: they are needed only for building.
  const { build } = await import('esbuild')
  const { decode, encode } = await import('@jridgewell/sourcemap-codec')
  const programs = PROGRAMS.filter((name) => existsSync(join(ROOT, `${name}.ts`)))
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      ...programs.map((name) => ({ in: `${name}.ts`, out: basename(name) })),
      ...PARTS.map((name) => ({ in: name, out: `part-${name}` })),
    ],
    outdir: BUNDLES,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: OUTSIDE,
    plugins: [places],
    define: PLACE,
    banner: { js: HEAD },
    // Some code compares the names of classes: see classNames.
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    write: false,
    logLevel: 'silent',
  })
  /** One place for each line of the source: node keeps all of them in memory from the first stack trace on, 30 MB otherwise. */
  const linesOnly = (text) => {
    const map = JSON.parse(text)
    const isNew = ([, file, line], before) => before === undefined || before[1] !== file || before[2] !== line
    const lines = decode(map.mappings).map((all) =>
      all.filter((one, i) => isNew(one, all[i - 1])).map((one) => one.slice(0, 4)),
    )
    return Buffer.from(JSON.stringify({ ...map, names: [], mappings: encode(lines) }))
  }
  return [
    ...outputFiles.map(({ path, text }) => ({
      path,
      contents: path.endsWith('.map') ? linesOnly(text) : Buffer.from(classNames(text)),
    })),
    ...programs.map((name) => {
      const path = join(DIST, `${name}.js`)
      const bundle = relative(dirname(path), join(BUNDLES, `${basename(name)}.js`))
      return { path, contents: Buffer.from(`import '${bundle}'\n`) }
    }),
  ]
}
