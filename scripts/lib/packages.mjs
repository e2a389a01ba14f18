// System tools: which ones are missing, and how to get them on Debian and Ubuntu.

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { run, tail, which } from './commands.mjs'
import { Refusal, say } from './log.mjs'

/** Debian package → the programs that we run from it. */
const TO_RUN = {
  ffmpeg: ['ffmpeg', 'ffprobe'],
  qpdf: ['qpdf'],
  'poppler-utils': ['pdftoppm', 'pdftotext', 'pdfinfo'],
  // Keeps the list of fonts that pdftoppm looks through for each page.
  fontconfig: ['fc-cache'],
  // The launcher of media tools; every Debian has it.
  'perl-base': ['perl'],
  'util-linux': ['setpriv'],
}
const TO_TEST = { chromium: ['chromium'], nginx: ['nginx'] }
const REDIS = { 'redis-server': ['redis-server'] }

const THAI_FONTS = '/usr/share/fonts/truetype/tlwg'
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
const LOCK_WAIT_SECONDS = 600
const LOCK_RETRY_MS = 3_000

/** The packages that this machine lacks. `redis`: an embedded one is needed. `tests`: what the tests use is needed too. */
export function missingPackages({ redis = true, tests = false, python = false } = {}) {
  const wanted = { ...TO_RUN, ...(redis ? REDIS : {}), ...(tests ? TO_TEST : {}) }
  const missing = Object.entries(wanted)
    .filter(([, programs]) => programs.some((program) => which(program) === undefined))
    .map(([name]) => name)
  // Most PDFs here name Thai fonts; many do not bring them along.
  if (!hasThaiFonts()) missing.push('fonts-thai-tlwg')
  if (python) {
    // The Go wheel is fetched by pip, which trusts the system's certificates.
    if (!existsSync(CERTIFICATES)) missing.push('ca-certificates')
    missing.push('python3-venv')
  }
  return missing
}

function hasThaiFonts() {
  if (existsSync(THAI_FONTS)) return true
  const opentype = '/usr/share/fonts/opentype'
  return existsSync(opentype) && readdirSync(opentype).some((name) => /thai|tlwg/i.test(name))
}

/** Installs the missing packages as root with apt-get, or refuses with the one command that does. */
export async function installPackages(packages) {
  if (packages.length === 0) return
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (which('apt-get') === undefined) {
    throw new Refusal(`These tools are missing; install what Debian calls: ${packages.join(' ')}`)
  }
  if (process.getuid?.() !== 0) {
    throw new Refusal(`System packages are missing. Run this once, then try again:\n
  sudo sh -c 'apt-get update && ${install}'\n`)
  }
  say(`Installing ${packages.join(', ')} …`)
  await withoutStartingDaemons(async () => {
    await apt(['update', '-q'])
    await apt(['install', '-q', '-y', '--no-install-recommends', ...packages])
  })
}

/** apt waits for the package lock by itself, but not for the lock of its lists; both are waited for here. */
async function apt(args) {
  const giveUpAt = Date.now() + LOCK_WAIT_SECONDS * 1_000
  const options = ['-o', `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`, '-o', 'Acquire::Retries=3']
  let told = false
  for (;;) {
    const { code, output } = await run('apt-get', [...options, ...args], {
      quiet: true,
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    })
    if (code === 0) return
    const locked = /could not get lock|unable to (acquire|lock)/i.test(output)
    if (!locked || Date.now() > giveUpAt) {
      throw new Refusal(`apt-get ${args.join(' ')} failed:\n${tail(output)}`)
    }
    if (!told) say('Waiting for another package installation to end …')
    told = true
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
  }
}

/**
 * Debian starts what it installs: a Redis on 6379 and an nginx on 80 that nobody asked for.
 * policy-rc.d is Debian's way to say no; ours is removed again, a policy that was there is left alone.
 */
async function withoutStartingDaemons(work) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) {
    await work()
    return
  }
  const remove = () => rmSync(policy, { force: true })
  const interrupted = () => process.exit(130)
  process.on('exit', remove)
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', interrupted)
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await work()
  } finally {
    remove()
    process.off('exit', remove)
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
  }
}
