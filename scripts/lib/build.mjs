// Builds TypeScript, assets, the teacher's page and the packages for portals into dist/, if the sources changed since the last build.

import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { bundlePrograms } from './bundle.mjs'
import { buildClients, clientInputs } from './clients/build.mjs'
import { run, tail } from './commands.mjs'
import { Refusal, say } from './log.mjs'
import { buildPage, writeChanged } from './page.mjs'
import { BIN, DIST, ROOT } from './paths.mjs'
import { filesUnder, hashOf, readStamp, writeStamp } from './stamp.mjs'

/** A page of the console. */
const RUNBOOK = 'docs/runbook.md'
/** The folders that tsconfig.build.json includes, and what is copied beside them. */
const SOURCES = ['src', 'workers', 'tools', 'test/support', RUNBOOK]
const SETTINGS = [
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
  'scripts/lib/bundle.mjs',
  'scripts/lib/page.mjs',
]
const PAGE = join(ROOT, 'src/portal/assets')
const STAMP = join(DIST, '.stamp')

const isTypeScript = (file) => file.endsWith('.ts')
/** The page's own files are bundled. */
const isAsset = (file) =>
  file === join(ROOT, RUNBOOK) || (!isTypeScript(file) && !file.endsWith('.md') && !file.startsWith(PAGE))

function inputs() {
  return [...[...SOURCES, ...SETTINGS].flatMap((path) => filesUnder(join(ROOT, path))), ...clientInputs()]
}

/** Builds if needed; returns whether it did. Throws a Refusal with the compiler's output. */
export async function build({ force = false } = {}) {
  const files = inputs()
  const hash = hashOf(ROOT, files)
  if (!force && readStamp(STAMP) === hash) return false
  say('Building …')
  rmSync(STAMP, { force: true })
  const { code, output } = await run(join(BIN, 'tsc'), ['-p', 'tsconfig.build.json'], {
    quiet: true,
    cwd: ROOT,
  })
  if (code !== 0) throw new Refusal(`The build failed:\n${tail(output, 40)}`)
  const sources = files.filter((file) => SOURCES.some((folder) => file.startsWith(join(ROOT, folder))))
  const kept = new Set(sources.filter(isTypeScript).flatMap(outputsOf))
  for (const asset of sources.filter(isAsset)) {
    const target = join(DIST, relative(ROOT, asset))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(asset, target)
    kept.add(target)
  }
  for (const file of await buildPage(join(DIST, 'page'))) kept.add(file)
  for (const file of await buildClients(join(DIST, 'served-clients'))) kept.add(file)
  for (const { path, contents } of await bundlePrograms()) {
    writeChanged(path, contents)
    kept.add(path)
  }
  removeLeftovers(kept)
  writeStamp(STAMP, hash)
  return true
}

function outputsOf(source) {
  const target = join(DIST, relative(ROOT, source)).replace(/\.ts$/, '.js')
  return [target, `${target}.map`]
}

/** Removes the output of deleted sources. Other files stay until they are replaced: a running service may load them. */
function removeLeftovers(kept) {
  if (!existsSync(DIST)) return
  for (const file of filesUnder(DIST)) if (!kept.has(file)) rmSync(file)
}
