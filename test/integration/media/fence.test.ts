// A program put in the place of a media tool, which tries what it can: nothing of it may work behind the fence, and all of
// it does without one, so that each attack is shown to be an attack.

import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRunner, type Runner, type ToolLimits, type ToolRun } from '../../../workers/media/run.ts'
import type { ToolError } from '../../../workers/media/tool-error.ts'
import { setTrap } from '../../support/trap.ts'

const PROGRAM = fileURLToPath(new URL('../../support/media/hostile-tool.pl', import.meta.url))
const LIMITS: ToolLimits = {
  wallMs: 120_000,
  cpuSeconds: 2,
  memoryBytes: 3 * 1024 ** 3,
  outputBytes: 64 * 1024,
  fileBytes: 1024 * 1024,
}
const PERMITTED = ['reads its input', 'writes its output']

let folder: string
let data: string
let scratch: string
let tools: string
let fenced: Runner
let port: number
const trap = setTrap()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songngan-fence-'))
  data = join(folder, 'data')
  tools = join(folder, 'tools')
  await mkdir(join(data, 'objects'), { recursive: true })
  await mkdir(tools)
  for (const tool of ['ffmpeg', 'ffprobe', 'qpdf', 'pdftoppm']) await copyFile(PROGRAM, join(tools, tool))
  port = await trap.listen()
  await trap.listen(join(folder, 'socket'))
  fenced = await createRunner({ path: `${tools}:/usr/bin:/bin`, killGraceMs: 300 })
})

beforeEach(async () => {
  scratch = join(data, 'scratch', `job-${Math.random().toString(36).slice(2)}`)
  await mkdir(scratch, { recursive: true })
  await writeFile(join(data, 'secrets.json'), '{"ticketSecret":"x"}', { mode: 0o600 })
  await writeFile(join(data, 'objects', 'another'), 'a film of somebody else', { mode: 0o600 })
  await writeFile(join(data, 'objects', 'input'), 'the film to be looked at', { mode: 0o600 })
})

afterAll(async () => {
  await trap.close()
  await rm(folder, { recursive: true, force: true })
})

const hostile = (tool: string, task: string[], more: Partial<ToolRun> = {}): ToolRun => ({
  tool,
  args: ['-i', 'file:whatever', '--hostile', ...task],
  limits: LIMITS,
  cwd: scratch,
  reads: [join(data, 'objects', 'input')],
  writes: [join(scratch, 'output')],
  ...more,
})

const attack = async (runner: Runner, tool: string): Promise<Map<string, string>> => {
  const input = join(data, 'objects', 'input')
  const task = ['attack', data, String(process.pid), String(port), join(folder, 'socket'), input]
  const { stdout } = await runner.run(hostile(tool, [...task, join(scratch, 'output')]))
  const lines = stdout.toString().trim().split('\n')
  return new Map(lines.map((line) => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']))
}

const doneOf = (outcome: Map<string, string>): string[] =>
  [...outcome].filter(([, end]) => end === 'done').map(([name]) => name)

const failure = (runner: Runner, run: ToolRun): Promise<ToolError> =>
  runner.run(run).then(
    ({ stdout }) => {
      throw new Error(`the run was expected to fail: ${stdout.toString()}`)
    },
    (error: ToolError) => error,
  )

describe('a program in the place of a tool', () => {
  it.each(['ffmpeg', 'ffprobe', 'qpdf', 'pdftoppm'])('in place of %s can do only the tool’s work', async (tool) => {
    trap.caught()
    const outcome = await attack(fenced, tool)
    expect(doneOf(outcome)).toEqual(PERMITTED)
    expect(outcome.size).toBeGreaterThan(40)
    expect(trap.caught()).toBe(0)
    expect(await readFile(join(data, 'secrets.json'), 'utf8')).toBe('{"ticketSecret":"x"}')
    expect((await stat(join(data, 'secrets.json'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(data, 'objects', 'input'), 'utf8')).toBe('the film to be looked at')
    expect(await readFile(join(scratch, 'output'), 'utf8')).toBe('made')
  })

  it('succeeds without isolation: each attack works', async () => {
    trap.caught()
    await writeFile(join(scratch, 'output'), '')
    const open = await createRunner({ path: `${tools}:/usr/bin:/bin`, isolation: 'none' })
    const done = doneOf(await attack(open, 'ffprobe'))
    // What needs a privilege, or what some machines refuse to everybody, is not counted here.
    for (const name of [
      'reads the secrets',
      'reads another upload',
      'lists the data folder',
      'writes beside the data',
      'reads the command line of its worker',
      'reads its own environment',
      'writes in /tmp',
      'makes a link to the secrets',
      'replaces its output by a link',
      'writes into its input',
      'empties its input',
      'shortens the secrets',
      'opens the secrets to all',
      'dates its input back',
      'connects to a port',
      'connects to a socket in the file system',
      'has a socket for packets',
      'signals its worker',
      'leaves its session',
      'reads the limits of its worker',
      'outlives its worker',
      'has memory beside its limit',
    ])
      expect(done).toContain(name)
    expect(trap.caught()).toBe(2)
  })
})

describe('a program that uses unlimited resources', () => {
  it('has no children', async () => {
    const { stdout } = await fenced.run(hostile('ffmpeg', ['fork']))
    expect(stdout.toString()).toBe('0 children\n')
  })

  it('gets no 4 GiB of memory', async () => {
    const error = await failure(fenced, hostile('qpdf', ['memory'], { limits: { ...LIMITS, cpuSeconds: 60 } }))
    expect(error).toMatchObject({ code: 'TOOL_MEMORY_LIMIT', source: 'input' })
  })

  it('is ended at its CPU limit', async () => {
    expect(await failure(fenced, hostile('pdftoppm', ['loop']))).toMatchObject({
      code: 'TOOL_CPU_LIMIT',
      source: 'input',
    })
  })
})
