import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { isProcessAlive } from '../../../src/core/process-alive.ts'
import { waitFor } from '../../support/http.ts'
import { script } from './script.ts'

type Supervised = { stop(graceMs: number): Promise<void>; kill(): void }
type Options = {
  name: string
  program: string
  args: string[]
  env: NodeJS.ProcessEnv
  onLine: (line: string, isError: boolean) => void
  onFinal: (code: number) => void
}
const { supervise } = await script<{ supervise: (options: Options) => Supervised }>('lib/processes.mjs')

const dir = mkdtempSync(join(tmpdir(), 'songngan-processes-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let running: Supervised | undefined
afterEach(() => {
  running?.kill()
  vi.restoreAllMocks()
})

function start(code: string, name = 'part') {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const lines: string[] = []
  const finals: number[] = []
  running = supervise({
    name,
    program: process.execPath,
    args: ['-e', code],
    env: process.env,
    onLine: (line) => lines.push(line),
    onFinal: (exit) => finals.push(exit),
  })
  return { lines, finals, said, part: running }
}

test('after a crash the process is restarted, with growing delays', async () => {
  const { lines, finals, said } = start('console.log(process.pid); process.exit(3)')
  await waitFor(() => lines.length === 3)
  expect(new Set(lines).size).toBe(3)
  const words = said.mock.calls.map(([text]) => String(text))
  expect(words[0]).toContain('part ended (code 3); restarting in 0.5 s')
  expect(words[1]).toContain('in 1 s')
  expect(finals).toEqual([])
})

test('exit code 78 is final', async () => {
  const { lines, finals } = start('console.error("PORT is busy"); process.exit(78)')
  await waitFor(() => finals.length === 1)
  expect([lines, finals]).toEqual([['PORT is busy'], [78]])
})

test('stop sends SIGTERM first, and ends leftover child processes', async () => {
  const pids = join(dir, 'pids')
  await writeFile(pids, '')
  const { lines, part } = start(`
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    process.on('SIGTERM', () => { console.log('asked'); process.exit(0) })
    require('node:fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid)
  `)
  await waitFor(async () => (await readFile(pids, 'utf8')) !== '')
  await part.stop(5_000)
  expect(lines).toEqual(['asked'])
  const [own = 0, child = 0] = (await readFile(pids, 'utf8')).split(' ').map(Number)
  await waitFor(() => !isProcessAlive(own) && !isProcessAlive(child))
})

test('a process that does not end in time is killed', async () => {
  const { lines, part } = start(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')`)
  await waitFor(() => lines.length === 1)
  await part.stop(300)
})
