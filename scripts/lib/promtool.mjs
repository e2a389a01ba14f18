// promtool, for the tests of alerts: found, or taken out of Debian's package (19 MB, seconds) without installing a server
// that nobody asked for. Without it those tests are skipped; everything else about the rules is checked all the same.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run, which } from './commands.mjs'
import { say } from './log.mjs'
import { CACHE } from './paths.mjs'

const BIN = join(CACHE, 'bin')
const PATIENCE_MS = 60_000

/** Provides promtool where `test/support/promtool.ts` looks for it; false where that cannot be done here. */
export async function providePromtool() {
  if (which('promtool') !== undefined || existsSync(join(BIN, 'promtool'))) return true
  const scratch = join(CACHE, 'promtool')
  try {
    return await unpack(scratch)
  } catch {
    // No network, no such package, no room: the tests say that they are skipped.
    return false
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function unpack(scratch) {
  if (which('apt-get') === undefined || which('dpkg-deb') === undefined) return false
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  const inScratch = { cwd: scratch, quiet: true, timeoutMs: PATIENCE_MS }
  const got = await run('apt-get', ['download', '-q', 'prometheus'], inScratch)
  const archive = readdirSync(scratch).find((name) => name.endsWith('.deb'))
  if (got.code !== 0 || archive === undefined) return false
  const { code } = await run('dpkg-deb', ['-x', archive, 'out'], inScratch)
  const program = join(scratch, 'out/usr/bin/promtool')
  if (code !== 0 || !existsSync(program)) return false
  mkdirSync(BIN, { recursive: true })
  renameSync(program, join(BIN, 'promtool'))
  say('promtool is in .cache/bin, for the tests of alerts')
  return true
}
