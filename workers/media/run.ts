// Runs a media tool: argument array, minimal environment, closed stdin, external limits,
// its own process group, a watchdog, a time limit; it resolves only after the process has ended.
//
// Resolving while ffmpeg still writes would cause truncated renditions and orphaned processes;
// so every end (abort, time-out, too much output) first kills the process and waits for its exit.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { processStat } from '../../src/core/process-alive.ts'
import { type ProgressBlock, progressParser } from './progress.ts'
import { fence, findTool, type Isolation, type ToolLimits } from './sandbox.ts'
import { classify, type Ending, ToolError } from './tool-error.ts'

export type { Isolation, ToolLimits } from './sandbox.ts'
export { ToolError } from './tool-error.ts'

export type ToolRun = {
  /** A name looked up on PATH, or an absolute path. */
  tool: string
  args: readonly string[]
  limits: ToolLimits
  /** Absolute path of the job's scratch folder: working directory, HOME and TMPDIR of the tool. */
  cwd: string
  /** Absolute paths of the files that the tool may read; besides programs, libraries and fonts it can read no others. */
  reads?: readonly string[]
  /** Absolute paths of the files that the tool may write, made empty before it starts; it can write no others. */
  writes?: readonly string[]
  signal?: AbortSignal | undefined
  /** Default `NICE.later`. */
  nice?: number
  /** Exit codes that are a result, not a failure; default `[0]`. */
  okCodes?: readonly number[]
  /** ffmpeg's progress; add {@link commonArgs} to `args`. */
  onProgress?: (block: ProgressBlock) => void
  /** Watchdog: the tool is ended after this time without progress (with `onProgress`) or without output (otherwise). */
  idleMs?: number
  /** Receives stdout as it arrives; `stdout` of the result is then empty. */
  onStdout?: (chunk: Buffer) => void
  /** Receives what the tool writes to file descriptor 4, for a second stream of results. */
  onSide?: (chunk: Buffer) => void
  /** Receives each complete line of stderr; the tail is also kept. */
  onStderrLine?: (line: string) => void
}

export type ToolResult = { code: number; stdout: Buffer; stderrTail: string }

export type Runner = {
  /** @throws {ToolError} for everything but an exit code in `okCodes` */
  run(run: ToolRun): Promise<ToolResult>
  isolation: Isolation
}

export type RunnerOptions = {
  /** PATH for the tools. */
  path?: string
  /** Between SIGTERM and SIGKILL. */
  killGraceMs?: number
  /** Default `landlock`. {@link proveFence} tests whether it holds on this machine. */
  isolation?: Isolation
  /** The tool is ended above this number of threads; default far above what decoders and encoders start. */
  maxThreads?: number
}

/** First arguments of an ffmpeg run. Progress has its own descriptor, separate from results on stdout and messages on stderr. */
export function commonArgs(level: 'warning' | 'error'): string[] {
  return ['-nostdin', '-hide_banner', '-loglevel', `level+${level}`, '-progress', 'pipe:3', '-nostats']
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'
/** The launcher uses the system's Perl, not the first one on the PATH of the tools. */
const SYSTEM_PATH = '/usr/bin:/bin'
const MAX_THREADS = 512
/**
 * Shares of the CPU when there is not enough: a service has 0 and gets three times what a tool of a verdict gets, which gets nine
 * times what a transcode gets. Before the deadline everybody waits for a verdict, and nobody for a film.
 */
const NICE = { verdict: 5, later: 15 } as const
/** The system call filter prevents a second process, but it cannot count threads. */
const THREADS_WATCH_MS = 200
const STDERR_TAIL_BYTES = 16 * 1024

/** Creates the runner. Throws ToolError (`TOOL_MISSING`) if there is no Perl for the launcher. */
export async function createRunner(options: RunnerOptions = {}): Promise<Runner> {
  const { path = DEFAULT_PATH, isolation = 'landlock', killGraceMs = 10_000, maxThreads = MAX_THREADS } = options
  const perl = await findTool('perl', SYSTEM_PATH)
  if (perl === null) throw new ToolError('TOOL_MISSING', 'system', 'perl is not installed')
  return { isolation, run: (run) => runTool(run, { path, perl, isolation, killGraceMs, maxThreads }) }
}

/** The same, for what a verdict waits for. */
export function urgent(runner: Runner): Runner {
  return { ...runner, run: (run) => runner.run({ ...run, nice: NICE.verdict }) }
}

type Machine = { path: string; perl: string; isolation: Isolation; killGraceMs: number; maxThreads: number }

async function runTool(run: ToolRun, machine: Machine): Promise<ToolResult> {
  if (run.signal?.aborted) throw new ToolError('TOOL_ABORTED', 'system', `${run.tool} was not started: aborted`)
  const tool = await findTool(run.tool, machine.path)
  if (tool === null) throw new ToolError('TOOL_MISSING', 'system', `${run.tool} is not installed`)
  const { args: given, limits, reads = [], writes = [], nice = NICE.later } = run
  const { file, args } = fence(machine.perl, machine.isolation, { tool, args: given, limits, reads, writes, nice })
  const child = spawn(file, args, {
    cwd: run.cwd,
    // No credentials, no proxies, no FFREPORT: the tool gets its input only from its command line.
    env: { PATH: machine.path, LANG: 'C.UTF-8', HOME: run.cwd, TMPDIR: run.cwd },
    // Its own process group, so that a kill also reaches processes that the tool started.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', run.onProgress ? 'pipe' : 'ignore', run.onSide ? 'pipe' : 'ignore'],
  })
  return await supervise(child, run, machine)
}

function supervise(
  child: ChildProcess,
  run: ToolRun,
  { killGraceMs: graceMs, maxThreads }: Machine,
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
    const threadTimer = setInterval(() => {
      // The process has just ended.
      const { threads = 0 } = processStat(child.pid ?? 0) ?? {}
      if (threads > maxThreads) stop('threads', 'SIGKILL')
    }, THREADS_WATCH_MS)
    const finish = (): void => {
      clearTimeout(wallTimer)
      clearInterval(threadTimer)
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
      reject(new ToolError(code, 'system', `${run.tool} could not be started`, '', { cause: error }))
    })
    // Processes that the tool left in its group are killed too; otherwise its pipes would stay open.
    child.once('exit', () => killGroup(child, 'SIGKILL'))
    // 'close', not 'exit': only then all output of the tool has arrived.
    child.once('close', (exitCode, signal) => {
      finish()
      const stderrTail = stderr.text()
      if (!stopped && exitCode !== null && (run.okCodes ?? [0]).includes(exitCode)) {
        resolve({ code: exitCode, stdout: Buffer.concat(stdout), stderrTail })
        return
      }
      const { code, source } = classify({ exitCode, signal, stderrTail, ...(stopped && { stopped }) })
      const how = stopped ? `stopped (${stopped})` : signal ? `killed by ${signal}` : `exit ${exitCode}`
      reject(new ToolError(code, source, `${run.tool}: ${how}: ${lastLine(stderrTail)}`, stderrTail))
    })
  })
}

function side(child: ChildProcess, descriptor: number): Readable | null {
  return (child.stdio[descriptor] as Readable | null | undefined) ?? null
}

/** Signals the complete process group (negative id); it may have ended already. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // ESRCH: the group has ended already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Keeps the end of a stream and passes on complete lines. */
function tail(maxBytes: number, onLine?: (line: string) => void): { push(chunk: Buffer): void; text(): string } {
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
