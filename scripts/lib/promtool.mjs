// promtool, for the tests of alerts: found on the PATH, or extracted from Debian's package (19 MB) without installing a
// Prometheus server. Without it those tests are skipped; the other checks of the rules still run.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run, which } from './commands.mjs'
import { say } from './log.mjs'
import { CACHE } from './paths.mjs'

const BIN = join(CACHE, 'bin')
const PATIENCE_MS = 60_000

/** Provides promtool for `test/support/promtool.ts`; false if that is not possible. */
export async function providePromtool() {
  if (which('promtool') !== undefined || existsSync(join(BIN, 'promtool'))) return true
  const scratch = join(CACHE, 'promtool')
  try {
    return await unpack(scratch)
  } catch {
    // No network, no such package or no space: the tests report that they are skipped.
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
  say('promtool was extracted to .cache/bin for the tests of alerts')
  return true
}
