// The one way in which a media tool is started: argument array, minimal environment, stdin closed, limits from outside,
// its own process group, one watchdog, one deadline, and an answer only after the process is gone.
//
// A promise that is given up while ffmpeg goes on writing is how renditions get truncated and machines fill with orphans;
// so every way out of here (abort, time-out, too much output) ends the process first and waits for its exit.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type ProgressBlock, progressParser } from './progress.ts'
import {
  type Capabilities,
  detectCapabilities,
  fence,
  findTool,
  type Isolation,
  type ToolLimits,
} from './sandbox.ts'
import { classify, type Ending, redactUrls, ToolError } from './tool-error.ts'

export type { Isolation, ToolLimits } from './sandbox.ts'
export { ToolError } from './tool-error.ts'

export type ToolRun = {
  /** A name looked up on PATH, or an absolute path. */
  tool: string
  args: readonly string[]
  limits: ToolLimits
  /** Absolute path of the job's scratch folder: working directory, HOME and TMPDIR of the tool. */
  cwd: string
  /** Absolute paths of the files the tool reads; only these can be read where the machine allows such a fence. */
  reads?: readonly string[]
  /** Only for a source behind a URL that we signed; default false. */
  network?: boolean
  signal?: AbortSignal | undefined
  /** Exit codes that are an answer, not a failure; default `[0]`. */
  okCodes?: readonly number[]
  /** ffmpeg's progress; add {@link PROGRESS_ARGS} to `args`. */
  onProgress?: (block: ProgressBlock) => void
  /** Watchdog: so long without progress (with `onProgress`) or any output (without), and the tool is ended. */
  idleMs?: number
  /** Takes stdout as it comes; `stdout` of the result is then empty. */
  onStdout?: (chunk: Buffer) => void
  /** Takes what the tool writes to file descriptor 4, for a second stream of results. */
  onSide?: (chunk: Buffer) => void
  /** Takes each whole line of stderr; the tail is kept anyway. */
  onStderrLine?: (line: string) => void
}

export type ToolResult = { code: number; stdout: Buffer; stderrTail: string }

export type Runner = {
  /** @throws {ToolError} for everything but an exit code in `okCodes` */
  run(run: ToolRun): Promise<ToolResult>
  /** How tools without need of a network are cut off from it on this machine. */
  isolation: Isolation
  capabilities: Capabilities
}

export type RunnerOptions = {
  /** Where tools are looked for. */
  path?: string
  /** Between SIGTERM and SIGKILL. */
  killGraceMs?: number
  /** For tests: what the machine offers, instead of finding out. */
  capabilities?: Capabilities
}

/** Progress goes to its own descriptor, so that neither results on stdout nor messages on stderr are mixed with it. */
export const PROGRESS_ARGS: readonly string[] = ['-progress', 'pipe:3', '-nostats']

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'
const STDERR_TAIL_BYTES = 16 * 1024

/** Finds out once what the machine offers (some 30 ms) and returns the runner to be handed down. */
export async function createRunner(options: RunnerOptions = {}): Promise<Runner> {
  const path = options.path ?? DEFAULT_PATH
  const capabilities = options.capabilities ?? (await detectCapabilities(path))
  return {
    isolation: capabilities.isolation,
    capabilities,
    run: (run) => runTool(run, { path, capabilities, killGraceMs: options.killGraceMs ?? 10_000 }),
  }
}

type Machine = { path: string; capabilities: Capabilities; killGraceMs: number }

async function runTool(run: ToolRun, machine: Machine): Promise<ToolResult> {
  if (run.signal?.aborted) throw new ToolError('TOOL_ABORTED', 'ours', `${run.tool} was not started: aborted`)
  const tool = await findTool(run.tool, machine.path)
  if (tool === null) throw new ToolError('TOOL_MISSING', 'ours', `${run.tool} is not installed`)
  const network = run.network ?? false
  const { file, args } = fence(machine.capabilities, {
    tool,
    args: run.args,
    limits: run.limits,
    cwd: run.cwd,
    reads: run.reads ?? [],
    network,
  })
  const child = spawn(file, args, {
    cwd: run.cwd,
    // No credentials, no proxies, no FFREPORT: what the tool may know is on its command line.
    env: { PATH: machine.path, LANG: 'C.UTF-8', HOME: run.cwd, TMPDIR: run.cwd },
    // A group of its own, so that a kill reaches whatever the tool started.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', run.onProgress ? 'pipe' : 'ignore', run.onSide ? 'pipe' : 'ignore'],
  })
  return await supervise(child, run, network, machine.killGraceMs)
}

function supervise(
  child: ChildProcess,
  run: ToolRun,
  network: boolean,
  graceMs: number,
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    let stopped: Ending['stopped']
    let killTimer: NodeJS.Timeout | undefined
    let idleTimer: NodeJS.Timeout | undefined
    let outputBytes = 0
    const stdout: Buffer[] = []
    const stderr = tail(STDERR_TAIL_BYTES, run.onStderrLine)

    const stop = (reason: NonNullable<Ending['stopped']>, how: NodeJS.Signals): void => {
      stopped ??= reason
      killGroup(child, how)
      killTimer ??= setTimeout(() => killGroup(child, 'SIGKILL'), graceMs)
    }
    const alive = (): void => {
      if (run.idleMs === undefined || stopped) return
      clearTimeout(idleTimer)
      idleTimer = setTimeout(() => stop('idle', 'SIGTERM'), run.idleMs)
    }
    const onAbort = (): void => stop('abort', 'SIGTERM')
    const wallTimer = setTimeout(() => stop('wall', 'SIGTERM'), run.limits.wallMs)
    const finish = (): void => {
      clearTimeout(wallTimer)
      clearTimeout(idleTimer)
      clearTimeout(killTimer)
      run.signal?.removeEventListener('abort', onAbort)
    }
    const take = (sink: (chunk: Buffer) => void) => (chunk: Buffer) => {
      if (!run.onProgress) alive()
      outputBytes += chunk.length
      if (outputBytes > run.limits.outputBytes) stop('output', 'SIGKILL')
      else sink(chunk)
    }

    child.stdout?.on('data', take(run.onStdout ?? ((chunk) => stdout.push(chunk))))
    child.stderr?.on('data', (chunk: Buffer) => {
      if (!run.onProgress) alive()
      stderr.push(chunk)
    })
    if (run.onProgress) {
      side(child, 3)?.on('data', progressParser(run.onProgress, alive))
    }
    if (run.onSide) side(child, 4)?.on('data', take(run.onSide))
    run.signal?.addEventListener('abort', onAbort)
    alive()

    child.once('error', (error) => {
      finish()
      const code = 'code' in error && error.code === 'ENOENT' ? 'TOOL_MISSING' : 'TOOL_FAILED'
      reject(new ToolError(code, 'ours', `${run.tool} could not be started`, '', { cause: error }))
    })
    // Whatever the tool started and left behind in its group goes with it, or its pipes would stay open.
    child.once('exit', () => killGroup(child, 'SIGKILL'))
    // 'close', not 'exit': only then has everything that the tool printed arrived.
    child.once('close', (exitCode, signal) => {
      finish()
      const stderrTail = redactUrls(stderr.text())
      if (!stopped && exitCode !== null && (run.okCodes ?? [0]).includes(exitCode)) {
        resolve({ code: exitCode, stdout: Buffer.concat(stdout), stderrTail })
        return
      }
      const { code, fault } = classify({ exitCode, signal, stderrTail, network, ...(stopped && { stopped }) })
      const how = stopped ? `stopped (${stopped})` : signal ? `killed by ${signal}` : `exit ${exitCode}`
      reject(new ToolError(code, fault, `${run.tool}: ${how}: ${lastLine(stderrTail)}`, stderrTail))
    })
  })
}

function side(child: ChildProcess, descriptor: number): Readable | null {
  return (child.stdio[descriptor] as Readable | null | undefined) ?? null
}

/** The whole group by its negative id; gone already is fine. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // ESRCH: nothing of the group is left, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Keeps the end of a stream and hands out whole lines. */
function tail(
  maxBytes: number,
  onLine?: (line: string) => void,
): { push(chunk: Buffer): void; text(): string } {
  let kept = ''
  let partial = ''
  return {
    push(chunk) {
      const text = chunk.toString('utf8')
      kept = (kept + text).slice(-maxBytes)
      if (!onLine) return
      const lines = (partial + text).split(/[\r\n]+/)
      partial = (lines.pop() ?? '').slice(-maxBytes)
      for (const line of lines) if (line !== '') onLine(line)
    },
    text: () => kept,
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.slice(0, 300) ?? ''
}
