// Packs what portals integrate with: `npm pack` makes a tarball of each package, and the files in it are served beside it.
// Another package is another line of PACKAGES.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { run, tail } from '../commands.mjs'
import { Refusal } from '../log.mjs'
import { compressed, writeChanged } from '../page.mjs'
import { ROOT } from '../paths.mjs'
import { filesUnder, hashOf, readStamp, writeStamp } from '../stamp.mjs'
import { API_TYPES, clientFiles } from './client.mjs'
import { earlierIn, LIST, removeOthers } from './earlier.mjs'
import { elementFiles } from './upload-element.mjs'

/** Each has package.json, and README.md if it has one. `files(dist)`: what goes into its folder `dist`. */
const PACKAGES = [
  { folder: join(ROOT, 'clients/client'), files: clientFiles },
  { folder: join(ROOT, 'clients/upload-element'), files: elementFiles },
]

const INPUTS = ['clients', 'docs/openapi.json', 'package-lock.json', 'tsconfig.json', 'scripts/lib/clients']
  .concat('scripts/lib/browser-bundle.mjs', 'scripts/lib/page.mjs')
  .map((path) => join(ROOT, path))

/** What the packages are made of. */
export function clientInputs() {
  const isMade = (file) => file === API_TYPES || /\/(node_modules|dist)\//.test(relative(ROOT, file))
  return INPUTS.flatMap(filesUnder).filter((file) => !isMade(file))
}

/**
 * Packs all of them into `target`: `VERSION/` with the files of each package, also compressed, and `packages.json`, which lists them
 * and those of builds before. Returns the paths of the output. Does nothing if nothing has changed.
 */
export async function buildClients(target) {
  const hash = hashOf(ROOT, clientInputs())
  const stamp = join(target, '.stamp')
  if (readStamp(stamp) !== hash || !existsSync(API_TYPES)) {
    const packages = []
    const stage = mkdtempSync(join(tmpdir(), 'songngan-clients-'))
    try {
      for (const one of PACKAGES) packages.push(await pack(one, join(stage, basename(one.folder)), target))
    } finally {
      rmSync(stage, { recursive: true, force: true })
    }
    const earlier = earlierIn(target, packages)
    writeChanged(join(target, LIST), asBytes({ packages, earlier }))
    removeOthers(target, [...packages, ...earlier])
    writeStamp(stamp, hash)
  }
  return filesUnder(target)
}

const asBytes = (value) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`)

/** Packs one; returns its entry in the list. `stage`: a folder to work in. */
async function pack({ folder, files }, stage, target) {
  const dist = join(stage, 'dist')
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const made = (await files(dist)).map(({ path, bytes }) => ({ name: relative(dist, path), bytes }))
  for (const { name, bytes } of made) writeChanged(join(stage, 'dist', name), bytes)
  const readme = join(folder, 'README.md')
  if (existsSync(readme)) writeChanged(join(stage, 'README.md'), readFileSync(readme))
  const version = versionOf(manifest, stage)
  writeChanged(join(stage, 'package.json'), asBytes({ ...manifest, version }))

  const tarball = await tarballOf(stage)
  const listed = [...made, { name: basename(tarball), bytes: readFileSync(tarball) }]
  for (const { name, bytes } of listed) {
    const output = { path: join(target, version, name), bytes }
    for (const one of name.endsWith('.tgz') ? [output] : compressed(output)) writeChanged(one.path, one.bytes)
  }
  return {
    name: manifest.name,
    version,
    entry: basename(manifest.exports['.'].default),
    tarball: basename(tarball),
    files: Object.fromEntries(listed.map(({ name, bytes }) => [name, described(bytes)])),
  }
}

/** `integrity` as browsers and package-lock.json have it (Subresource Integrity). */
function described(bytes) {
  return { bytes: bytes.length, integrity: `sha384-${createHash('sha384').update(bytes).digest('base64')}` }
}

/** With a mark of the content: what is kept for ever, and pinned by its hash, must not change under one address. */
function versionOf(manifest, stage) {
  const hash = createHash('sha256')
    .update(JSON.stringify(manifest))
    .update(hashOf(stage, filesUnder(stage)))
  return `${manifest.version}-b${hash.digest('hex').slice(0, 10)}`
}

async function tarballOf(stage) {
  const to = `${stage}.packed`
  mkdirSync(to)
  const args = ['pack', '--ignore-scripts', '--offline', '--loglevel=error', '--pack-destination', to]
  const { code, output } = await run('npm', args, { quiet: true, cwd: stage })
  if (code !== 0) throw new Refusal(`npm pack failed:\n${tail(output)}`)
  const [packed] = filesUnder(to)
  return packed
}
