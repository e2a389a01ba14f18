// Real service and worker processes with an environment of the test's own, killed at any instruction.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { type Child, type Exit, startChild } from './children.ts'
import { freePort, statusOf, waitFor } from './http.ts'

export type LogLine = { level: string; msg: string; [field: string]: unknown }

export type Running = {
  readonly pid: number
  /** Of the service: where clients go. */
  readonly url: string
  /** Health, metrics, queues. */
  readonly opsUrl: string
  readonly dataDir: string
  /** The whole environment given, to start a second one like it. */
  readonly env: Record<string, string>
  /** Resolves when /health/ready answers 200; rejects with the output where the process ends before. */
  ready(): Promise<void>
  /** The JSON lines logged so far. */
  logs(): LogLine[]
  output(): string
  isRunning(): boolean
  readonly exited: Promise<Exit>
  /** A signal to the process; SIGKILL also reaches the processes it started. Resolves when it is gone, but for SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** The same entry with the same environment again, on the same ports. The old process must be gone. */
  restart(): Promise<void>
  /** Ends it and removes a DATA_DIR that it made. */
  stop(): Promise<void>
}

export type StartOptions = {
  /** REDIS_URL is needed; the rest has defaults made for tests: free ports, one process, a fresh DATA_DIR, AUTH as configured. */
  env: Record<string, string>
  /**
   * `source` runs TypeScript by tsx; `dist` runs what `npm run build` made, with the flags of production, and starts in half
   * the time. Default: dist for a compiled tool; otherwise what TEST_FROM says, or the source. `npm test` builds first and says dist.
   */
  from?: 'source' | 'dist'
  /** What runs in place of the role's own entry: a module, from the root of the repository and without its ending. */
  entry?: string
  /** Modules that are loaded before it, likewise. */
  preload?: string[]
  /** Further flags of V8: `--max-old-space-size=300`. */
  flags?: string[]
}

/** This file itself is compiled: a tool runs from dist, so what it starts does too. */
const IS_BUILT = import.meta.dirname.endsWith(`${sep}dist${sep}test${sep}support`)
const ROOT = join(import.meta.dirname, IS_BUILT ? '../../..' : '../..')

/** What to run if a test does not say. */
export function testedFrom(): 'source' | 'dist' {
  return IS_BUILT || process.env['TEST_FROM'] === 'dist' ? 'dist' : 'source'
}

export type Role = 'service' | 'worker'
type Command = { args: string[]; env: Record<string, string> }

async function command(role: Role, options: StartOptions): Promise<Command> {
  const { from = testedFrom(), entry = role === 'service' ? 'src/server' : 'workers/main' } = options
  const { preload = [], flags = [] } = options
  const file = (name: string) => (from === 'source' ? join(ROOT, `${name}.ts`) : join(ROOT, 'dist', `${name}.js`))
  const modules = [...flags, ...preload.flatMap((name) => ['--import', file(name)])]
  if (from === 'source') return { args: ['--import', 'tsx', ...modules, file(entry)], env: {} }
  const table = JSON.parse(await readFile(join(ROOT, 'scripts/node-flags.json'), 'utf8')) as {
    [role in Role]: string[]
  } & { environment: { [role in Role]?: Record<string, string> } }
  return {
    args: [...table[role], ...modules, file(entry)],
    env: table.environment[role] ?? {},
  }
}

/** The caller waits for `ready()`. */
export async function startProcess(role: Role, options: StartOptions): Promise<Running> {
  const { DATA_DIR } = options.env
  const made = DATA_DIR === undefined ? await mkdtemp(join(tmpdir(), 'songngan-data-')) : ''
  const defaults = {
    HOST: '127.0.0.1',
    OPS_HOST: '127.0.0.1',
    PORT: String(await freePort()),
    OPS_PORT: String(await freePort()),
    PROCESSES: '1',
    // All clients of a test, those with wrong credentials too, have one address.
    WRONG_CREDENTIALS_PER_MINUTE: '0',
    DATA_DIR: made,
  }
  const { args, env: own } = await command(role, options)
  const env: Record<string, string> & typeof defaults = { ...own, ...defaults, ...options.env }
  // A leader of its own group: what it starts (further processes of the service, ffmpeg) can be killed with it.
  const launch = () => startChild(process.execPath, args, { cwd: ROOT, env, ownGroup: true })
  let child: Child = await launch()
  const opsUrl = `http://${env.OPS_HOST}:${env.OPS_PORT}`

  const kill = async (signal: NodeJS.Signals) => {
    if (signal === 'SIGKILL') killGroup(child.pid)
    else child.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await child.exited
  }
  return {
    get pid() {
      return child.pid
    },
    url: `http://${env.HOST}:${env.PORT}`,
    opsUrl,
    dataDir: env.DATA_DIR,
    env,
    async ready() {
      const answered = async () => !child.running() || (await statusOf(`${opsUrl}/health/ready`)) === 200
      await waitFor(answered, { what: `${role} to be ready` }).catch((error: Error) => {
        throw new Error(`${error.message}\n${child.output()}`)
      })
      if (!child.running()) throw new Error(`the ${role} ended before it was ready:\n${child.output()}`)
    },
    logs: () => child.output().split('\n').flatMap(parsed),
    output: () => child.output(),
    isRunning: () => child.running(),
    get exited() {
      return child.exited
    },
    kill,
    async restart() {
      if (child.running()) throw new Error(`the ${role} is still running`)
      child = await launch()
    },
    async stop() {
      await child.stop(10_000)
      killGroup(child.pid)
      if (made !== '') await rm(made, { recursive: true, force: true })
    },
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group is gone already
  }
}

function parsed(line: string): LogLine[] {
  if (!line.startsWith('{')) return []
  try {
    return [JSON.parse(line) as LogLine]
  } catch {
    return [] // a line that is still being written
  }
}

/** `src/server.ts`. */
export function startService(options: StartOptions): Promise<Running> {
  return startProcess('service', options)
}

/** `workers/main.ts`; share DATA_DIR with the service unless STORAGE is s3. */
export function startWorker(options: StartOptions): Promise<Running> {
  return startProcess('worker', options)
}
