import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { SCRIPTS, script } from './script.ts'

const ROOT = join(SCRIPTS, '..')
const { NAMES, nodeArguments } = await script<{
  NAMES: string[]
  nodeArguments: (name: string, args?: string[]) => string[]
}>('lib/node-command.mjs')
const { pretty } = await script<{ pretty: (name: string, line: string) => string }>('lib/lines.mjs')

test.each(NAMES)('this Node version accepts the flags of %s', async (name) => {
  const flags = nodeArguments(name).filter((argument) => argument.startsWith('--'))
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-p', '6 * 7'])
  expect(stdout).toBe('42\n')
})

test('every npm script has its entry; the command line is the package’s program', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  const run = Object.values<string>(scripts).flatMap((command) => /run\.mjs (\w+)/.exec(command)?.[1] ?? [])
  expect([...run, 'cli'].sort()).toEqual([...NAMES].sort())
})

test('the lock file names every optional package, or npm ci fails on a bare machine', async () => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'))
  const missing = Object.entries<{ optionalDependencies?: Record<string, string> }>(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  )
  expect(missing).toEqual([])
})

test('a log line is formatted for people; other output is unchanged', () => {
  const line = pretty(
    'service',
    '{"level":"warn","time":"2026-11-21T10:00:00.000Z","pid":1,"msg":"slow","ms":7,"uploadId":"u"}',
  )
  expect(line).toMatch(/\d\d:00:00 service/)
  expect(line).toContain('warn')
  expect(line).toContain('slow')
  expect(line).toContain('ms=7 uploadId=u')
  expect(line).not.toContain('pid')
  expect(pretty('worker', 'Segmentation fault')).toContain('Segmentation fault')
  expect(pretty('worker', '{"level":"error","msg":"bad","err":{"stack":"Error: bad\\n  at x"}}')).toContain('at x')
})
