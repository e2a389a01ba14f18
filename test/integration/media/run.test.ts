// The runner with real processes: every way a tool can end, and that nothing of it is left.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createRunner, type Runner, type ToolLimits, type ToolRun, urgent } from '../../../workers/media/run.ts'
import type { ToolError } from '../../../workers/media/tool-error.ts'
import { PATIENCE_MS, waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { processesWith } from '../../support/media/processes.ts'

const LIMITS: ToolLimits = {
  wallMs: PATIENCE_MS,
  cpuSeconds: 10,
  memoryBytes: 2 * 1024 ** 3,
  outputBytes: 64 * 1024,
  fileBytes: 1024 * 1024,
}

let corpus: Corpus
let runner: Runner
/** For scripts with commands of their own: behind the fence no tool has children. */
let open: Runner

beforeAll(async () => {
  corpus = await createCorpus()
  runner = await createRunner({ killGraceMs: 300 })
  open = await createRunner({ killGraceMs: 300, isolation: 'none' })
})
afterAll(() => corpus.remove())

const shell = (script: string, more: Partial<ToolRun> = {}): ToolRun => ({
  tool: 'sh',
  args: ['-c', script],
  limits: LIMITS,
  cwd: corpus.dir,
  ...more,
})
const failure = (run: ToolRun, by = runner): Promise<ToolError> =>
  by.run(run).then(
    () => {
      throw new Error('the run was expected to fail')
    },
    (error: ToolError) => error,
  )
/** Something unique for a command line; `sleep` takes it as a number of seconds. */
const sleepToken = (): string => `61.${Math.floor(Math.random() * 1e9)}`

describe('a run', () => {
  it('gives exit code, stdout and the end of stderr', async () => {
    const result = await runner.run(shell('echo out; echo err >&2; exit 3', { okCodes: [0, 3] }))
    expect(result).toEqual({ code: 3, stdout: Buffer.from('out\n'), stderrTail: 'err\n' })
  })

  it('sees nothing of our environment, and has no input', async () => {
    const { stdout } = await open.run(shell('env; cat'))
    const names = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names.sort()).toEqual(expect.arrayContaining(['HOME', 'LANG', 'PATH', 'TMPDIR']))
    for (const name of names) expect(['HOME', 'LANG', 'PATH', 'TMPDIR', 'PWD', 'OLDPWD', 'SHLVL', '_']).toContain(name)
    expect(stdout.toString()).toContain(`HOME=${corpus.dir}\n`)
  })

  it('gets less CPU time than a service, and least of all where no verdict waits for it', async () => {
    // Where processes are grouped by session, the value of the group counts, and the other one only within it.
    const isGrouped = existsSync('/proc/self/autogroup')
    const script = `cut -d' ' -f19 /proc/self/stat; ${isGrouped ? "sed 's/.* nice //' /proc/self/autogroup" : 'echo'}`
    const seen = async (by: Runner) => (await by.run(shell(script))).stdout.toString().trim().split('\n').map(Number)
    expect(await seen(open)).toEqual(isGrouped ? [15, 15] : [15])
    expect(await seen(urgent(open))).toEqual(isGrouped ? [5, 5] : [5])
  })

  it('hands arguments on as they are', async () => {
    const args = ['a b', '$(id)', '`id`', '; id', "'"]
    const { stdout } = await runner.run({
      tool: 'printf',
      args: ['%s\n', ...args],
      limits: LIMITS,
      cwd: corpus.dir,
    })
    expect(stdout.toString()).toBe(`${args.join('\n')}\n`)
  })

  it('reports a missing tool before it starts anything', async () => {
    expect(await failure({ ...shell(''), tool: 'no-such-tool' })).toMatchObject({
      code: 'TOOL_MISSING',
      source: 'system',
    })
  })

  it('keeps three streams of results apart', async () => {
    const side: Buffer[] = []
    const lines: string[] = []
    const seconds: Array<number | null> = []
    const { stdout } = await runner.run(
      shell('echo one; echo side >&4; printf "out_time_us=2000000\\nprogress=end\\n" >&3; echo a >&2; echo b >&2', {
        onSide: (chunk) => side.push(chunk),
        onStderrLine: (line) => lines.push(line),
        onProgress: (block) => seconds.push(block.outSeconds),
      }),
    )
    expect(stdout.toString()).toBe('one\n')
    expect(Buffer.concat(side).toString()).toBe('side\n')
    expect(lines).toEqual(['a', 'b'])
    expect(seconds).toEqual([2])
  })
})

describe('limits', () => {
  it('end a run that prints too much', async () => {
    expect(await failure(shell('exec yes'))).toMatchObject({ code: 'TOOL_OUTPUT_LIMIT', source: 'input' })
  })

  it.runIf(process.platform === 'linux')('end a run that uses too much CPU time', async () => {
    const run = shell('while :; do :; done', { limits: { ...LIMITS, cpuSeconds: 1 } })
    expect(await failure(run)).toMatchObject({ code: 'TOOL_CPU_LIMIT', source: 'input' })
  })

  it('end a run that writes too large a file', async () => {
    const run = shell('exec dd if=/dev/zero of=too-large bs=1M count=4', {
      writes: [join(corpus.dir, 'too-large')],
    })
    expect(await failure(run)).toMatchObject({ code: 'TOOL_OUTPUT_LIMIT', source: 'input' })
  })

  it('limit memory', async () => {
    const run = shell('exec dd if=/dev/zero of=/dev/null bs=3G count=1')
    expect(await failure(run)).toMatchObject({ code: 'TOOL_MEMORY_LIMIT', source: 'input' })
  })

  it('end a run at its time limit, first with SIGTERM, then with SIGKILL', async () => {
    // Long enough for a busy machine to start a shell that heeds no SIGTERM.
    const wallMs = 5000
    const startedMs = performance.now()
    const run = shell('trap "" TERM; while :; do sleep 0.05; done', { limits: { ...LIMITS, wallMs } })
    await expect(open.run(run)).rejects.toMatchObject({ code: 'TOOL_TIMEOUT', source: 'system' })
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(wallMs + 250)
  })
})

describe('the watchdog', () => {
  it('ends a tool that hangs without output', async () => {
    const token = sleepToken()
    const run: ToolRun = { tool: 'sleep', args: [token], limits: LIMITS, cwd: corpus.dir, idleMs: 200 }
    expect(await failure(run)).toMatchObject({ code: 'TOOL_STALLED', source: 'system' })
    expect(await processesWith(token)).toEqual([])
  })

  it('ends a tool that prints output but makes no progress', async () => {
    const script = 'while :; do printf "out_time_us=5\\nprogress=continue\\n" >&3; echo . ; sleep 0.02; done'
    const run = shell(script, { idleMs: 300, onProgress: () => {} })
    expect(await failure(run, open)).toMatchObject({ code: 'TOOL_STALLED' })
  })

  it('does not end a slow tool that makes progress', async () => {
    // Almost the limit passes between two lines, by a clock that a busy machine does not move.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let lines = 0
    const onProgress = () => {
      lines += 1
      vi.advanceTimersByTime(900)
    }
    const script = 'for i in $(seq 5); do printf "out_time_us=$i\\nprogress=continue\\n" >&3; done'
    const result = await open.run(shell(script, { idleMs: 1000, onProgress }))
    expect({ code: result.code, lines }).toEqual({ code: 0, lines: 5 })
  })
})

describe('an abort', () => {
  it('ends the tool and what it started, and waits for it', async () => {
    const token = sleepToken()
    const abort = new AbortController()
    const run = shell(`sleep ${token} & echo started; wait`, {
      signal: abort.signal,
      onStdout: () => abort.abort(),
    })
    expect(await failure(run, open)).toMatchObject({ code: 'TOOL_ABORTED', source: 'system' })
    expect(await processesWith(`sleep\0${token}`)).toEqual([])
  })

  it('before the start starts nothing', async () => {
    const marker = join(corpus.dir, 'started')
    const run = shell(`touch ${marker}`, { signal: AbortSignal.abort() })
    expect(await failure(run)).toMatchObject({ code: 'TOOL_ABORTED', source: 'system' })
    expect(existsSync(marker)).toBe(false)
  })

  it('ends processes that a tool left when it exited', async () => {
    const token = sleepToken()
    await open.run(shell(`sleep ${token} & exit 0`))
    expect(await processesWith(`sleep\0${token}`)).toEqual([])
  })
})

describe('in isolation', () => {
  it('a network address cannot be an input, although a listener exists', async () => {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.destroy()
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const fetch: ToolRun = {
      tool: 'ffprobe',
      args: ['-v', 'error', '-i', `http://127.0.0.1:${port}/x.mp4`],
      limits: LIMITS,
      cwd: corpus.dir,
    }
    await failure(fetch)
    expect(connections).toBe(0)
    // Without the fence it does connect: the listener works.
    await failure(fetch, open)
    expect(connections).toBeGreaterThan(0)
    await new Promise((resolve) => server.close(resolve))
  })

  it('a tool may have threads, up to a limit', async () => {
    const few = await createRunner({ killGraceMs: 300, maxThreads: 8 })
    const encode: ToolRun = {
      tool: 'ffmpeg',
      args: [
        '-v',
        'error',
        '-f',
        'lavfi',
        '-i',
        'testsrc2=s=640x360:d=3600',
        '-c:v',
        'libx264',
        '-threads',
        '24',
        '-f',
        'null',
        '-',
      ],
      limits: { ...LIMITS, cpuSeconds: 60 },
      cwd: corpus.dir,
    }
    expect(await failure(encode, few)).toMatchObject({ code: 'TOOL_THREAD_LIMIT', source: 'input' })
  })
})

describe('a worker killed outright', () => {
  it('leaves no ffmpeg behind', async () => {
    const token = randomUUID()
    const script = fileURLToPath(new URL('../../support/media/endless-tool.ts', import.meta.url))
    const worker = spawn(process.execPath, ['--import', 'tsx', script, corpus.dir, token], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    let output = ''
    worker.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const tools = async (): Promise<number[]> => (await processesWith(token)).filter((pid) => pid !== worker.pid)
    try {
      await waitFor(async () => output.includes('running') && (await tools()).length > 0)
    } finally {
      worker.kill('SIGKILL')
      await exited
    }
    await waitFor(async () => (await tools()).length === 0, { what: 'ffmpeg to be gone' })
  })
})
