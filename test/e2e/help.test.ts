// `--help` of every command: it says how the command is called, starts nothing, and is no failure.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
const ours = Object.entries(scripts).flatMap(([name, command]) => {
  const [, args] = /^exec node (scripts\/.*)$/.exec(command) ?? []
  return args === undefined ? [] : [[name, args.split(' ')] as const]
})

test.each(ours)('npm run %s -- --help', async (name, args) => {
  // Rejects where the exit code is not 0.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...args, '--help'], { cwd: ROOT })
  expect(stdout).toMatch(new RegExp(`^npm (run )?${name}\\b|^ +--only`, 'm'))
  expect(stderr.replace(/^Building …\n/, '')).toBe('')
})

test.each(['start', 'service', 'try', 'inspect', 'retry'])('songngan %s --help', async (name) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/songngan.mjs', name, '--help'], {
    cwd: ROOT,
  })
  expect(stdout).toContain(name)
})
