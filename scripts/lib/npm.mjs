// npm packages: runs `npm ci` if node_modules does not match package-lock.json.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './commands.mjs'
import { Refusal, say } from './log.mjs'
import { ROOT } from './paths.mjs'
import { hashOf, readStamp, writeStamp } from './stamp.mjs'

const LOCK = join(ROOT, 'package-lock.json')
/** npm prints the error first, then its usage. */
const HEAD_LINES = 15
const STAMP = join(ROOT, 'node_modules/.songngan-lock')

/** Whether a user has run npm: npm keeps a list of the installed packages. Optional ones of other platforms are not in it. */
function npmInstalledTheSame() {
  const hidden = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(hidden)) return false
  const wanted = JSON.parse(readFileSync(LOCK, 'utf8')).packages
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const found = present[path]
    return found === undefined ? entry.optional === true : found.version === entry.version
  })
}

/** Installs the packages of package-lock.json, also those for development: the build needs them. */
export async function installNpmPackages() {
  const hash = hashOf(ROOT, [LOCK])
  if (readStamp(STAMP) === hash) return
  if (npmInstalledTheSame()) {
    writeStamp(STAMP, hash)
    return
  }
  say('Installing npm packages …')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, output } = await run('npm', args, { quiet: true, cwd: ROOT })
  if (code !== 0) throw new Refusal(`npm ci failed:\n${output.split('\n').slice(0, HEAD_LINES).join('\n')}`)
  writeStamp(STAMP, hash)
}
