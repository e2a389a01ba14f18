// `npm test [arguments of vitest]`: set-up, lint, types, all tests, and a last line with the counts.

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sayAudit } from './lib/audit.mjs'
import { build } from './lib/build.mjs'
import { run } from './lib/commands.mjs'
import { main, say, shout } from './lib/log.mjs'
import { BIN, CACHE, ROOT } from './lib/paths.mjs'
import { QUIET_SDK } from './lib/processes.mjs'
import { providePromtool } from './lib/promtool.mjs'
import { setUp } from './lib/setup.mjs'
import { provideVersitygw, versitygwNeedsPython } from './lib/versitygw.mjs'

const REPORT = join(CACHE, 'vitest.json')

/** `N passed, N failed, N skipped`. A file that failed outside its tests (an import, a hook) counts as one failure. */
function numbers() {
  try {
    const report = JSON.parse(readFileSync(REPORT, 'utf8'))
    const broken = report.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
    )
    const failed = report.numFailedTests + broken.length
    const skipped = report.numPendingTests + report.numTodoTests
    return `${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`
  } catch {
    return '0 passed, 1 failed, 0 skipped' // no report: vitest itself failed
  }
}

const USAGE = `npm test [-- arguments of vitest]     lint, types and tests; the last line counts them
  npm test -- test/unit                only these files
  npm test -- --project integration    unit, integration or e2e`

await main(async () => {
  await setUp({ tools: { tests: true, python: await versitygwNeedsPython() }, dist: false })
  const noS3 = await provideVersitygw()
  const promtool = await providePromtool()

  say('Known vulnerabilities of the packages …')
  // Only reported: a vulnerability published today must not block the tests of its fix.
  await sayAudit()

  const failed = []
  // Some tests need the build; the others run even if it fails.
  await build().catch((error) => {
    say(error.message)
    failed.push('build')
  })
  const env = { ...QUIET_SDK, ...(failed.length === 0 ? { TEST_FROM: 'dist' } : {}) }
  const check = async (name, program, args) => {
    const { code, output } = await run(program, args, { cwd: ROOT, env, quiet: true })
    if (code === 0) return
    shout(`${name}:\n${output}`)
    failed.push(name)
  }
  const types = (project) => check(`types of ${project}`, join(BIN, 'tsc'), ['--noEmit', '-p', project])
  say('Lint and types …')
  // Each uses one core. Those of clients need what the build has made from the OpenAPI document.
  await Promise.all([
    types('.'),
    check('lint', join(BIN, 'biome'), ['check', '.']),
    check('exports', process.execPath, [join(ROOT, 'scripts/exports.mjs')]),
    ...['src/portal', 'clients/upload-element', 'clients', 'src/ops/console'].map(types),
  ])
  say('Tests …')
  rmSync(REPORT, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`]
  const { code } = await run(join(BIN, 'vitest'), ['run', ...reporters, ...process.argv.slice(2)], { cwd: ROOT, env })
  if (code !== 0) failed.push('tests')

  if (failed.length > 0) {
    shout(`FAILED: ${failed.join(', ')}`)
    process.exitCode = 1
  }
  if (noS3 !== undefined) shout(`NO S3 SERVER, so its tests were skipped: ${noS3}`)
  if (!promtool) shout('The tests of alerts were skipped: promtool is not available (Debian package prometheus)')
  process.stdout.write(`${numbers()}\n`)
}, USAGE)
