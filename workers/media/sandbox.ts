// What this machine offers to fence a media tool in, found out once by trying, and the command line that uses it.
//
// setpriv --pdeathsig KILL   the tool dies with the worker: an orphaned ffmpeg would go on encoding beside its successor
//                            (with the thread that started it, to be exact: run tools from the main thread)
// setpriv --no-new-privs     nothing set-uid can be gained from inside
// prlimit                    memory, CPU seconds, size of a written file, open files, no core dumps
// nice, ionice, choom        uploads go first, and the kernel's OOM killer takes the tool before the service
// bwrap or unshare           no network, and with bwrap nothing of the disk but the tools, the input and the scratch folder
//
// Each wrapper replaces itself by exec, so one process id leads from us to the tool.

import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export type ToolLimits = {
  /** Real time after which the tool is ended. */
  wallMs: number
  /** CPU time of all its threads. */
  cpuSeconds: number
  /** Address space; decoders with many threads reserve far more than they touch. */
  memoryBytes: number
  /** Most that it may print on stdout. */
  outputBytes: number
  /** Largest file that it may write. */
  fileBytes: number
}

export type Isolation = 'bwrap' | 'unshare' | 'none'

/** Absolute paths of the wrappers that work here; null where one is missing or refused. */
export type Capabilities = {
  setpriv: string | null
  prlimit: string | null
  nice: string | null
  ionice: string | null
  choom: string | null
  isolation: Isolation
  isolationPath: string | null
}

export type FencedCommand = {
  tool: string
  args: readonly string[]
  limits: ToolLimits
  /** Absolute; the only folder the tool may write to. */
  cwd: string
  /** Absolute paths that the tool has to read. */
  reads: readonly string[]
  network: boolean
}

/** The first executable of that name on a PATH, or null. */
export async function findTool(name: string, path: string): Promise<string | null> {
  if (name.includes('/')) return (await isExecutable(name)) ? name : null
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name)
    if (folder !== '' && (await isExecutable(candidate))) return candidate
  }
  return null
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Tries each wrapper once. Containers often forbid some of them; the rest are still used. */
export async function detectCapabilities(path: string): Promise<Capabilities> {
  const working = async (name: string, args: readonly string[]): Promise<string | null> => {
    const found = await findTool(name, path)
    return found !== null && (await succeeds(found, [...args, 'true'], path)) ? found : null
  }
  const [setpriv, prlimit, nice, ionice, choom, bwrap, unshare] = await Promise.all([
    working('setpriv', ['--pdeathsig', 'KILL', '--no-new-privs', '--']),
    working('prlimit', ['--core=0', '--nofile=256', '--']),
    working('nice', ['-n', '10']),
    working('ionice', ['-c3']),
    working('choom', ['-n', '800', '--']),
    working('bwrap', [...BWRAP_BASE, '--']),
    working('unshare', ['-rn', '--']),
  ])
  const isolation = bwrap !== null ? 'bwrap' : unshare !== null ? 'unshare' : 'none'
  return { setpriv, prlimit, nice, ionice, choom, isolation, isolationPath: bwrap ?? unshare }
}

function succeeds(file: string, args: readonly string[], path: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(file, [...args], { env: { PATH: path }, timeout: 5_000 }, (error) => resolve(error === null))
  })
}

/** The system's programs and libraries, read-only, and nothing else: no home, no data folder, no secrets in /run. */
const BWRAP_BASE: readonly string[] = [
  ...['--unshare-all', '--die-with-parent'],
  ...['--ro-bind', '/usr', '/usr'],
  ...['/bin', '/sbin', '/lib', '/lib64', '/etc/fonts', '/etc/ld.so.cache', '/etc/alternatives'].flatMap(
    (p) => ['--ro-bind-try', p, p],
  ),
  ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
]

/** For a source behind a URL: names, certificates, and the network itself. */
const BWRAP_NETWORK: readonly string[] = [
  '--share-net',
  ...['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl', '/etc/ca-certificates'].flatMap(
    (path) => ['--ro-bind-try', path, path],
  ),
]

/**
 * The whole command: wrappers, then the tool.
 *
 * The network stays on only when asked for, that is for a source behind a URL that we signed. The parent-death signal
 * is set first and, where `unshare` changes credentials in between, once more at the end.
 */
export function fence(capabilities: Capabilities, command: FencedCommand): { file: string; args: string[] } {
  const { setpriv, prlimit, nice, ionice, choom, isolation, isolationPath } = capabilities
  const { limits, cwd, reads, network } = command
  const line: string[] = []
  if (setpriv) line.push(setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--')
  if (prlimit) line.push(prlimit, ...limitArgs(limits), '--')
  if (choom) line.push(choom, '-n', '800', '--')
  if (nice) line.push(nice, '-n', '10')
  if (ionice) line.push(ionice, '-c3')
  if (isolation === 'bwrap' && isolationPath) {
    line.push(
      isolationPath,
      ...BWRAP_BASE,
      ...(network ? BWRAP_NETWORK : []),
      '--bind',
      cwd,
      cwd,
      '--chdir',
      cwd,
    )
    line.push(...reads.flatMap((path) => ['--ro-bind', path, path]), '--')
  }
  if (!network && isolation === 'unshare' && isolationPath) {
    line.push(isolationPath, '-rn', '--')
    // Inside its own user namespace the tool is root over nothing; it does not need even that.
    if (setpriv) line.push(setpriv, '--pdeathsig', 'KILL', '--bounding-set=-all', '--')
  }
  line.push(command.tool, ...command.args)
  const [file = command.tool, ...args] = line
  return { file, args }
}

function limitArgs(limits: ToolLimits): string[] {
  const cpu = Math.max(1, Math.ceil(limits.cpuSeconds))
  return [
    `--as=${Math.floor(limits.memoryBytes)}`,
    // soft, then hard: the soft limit sends SIGXCPU, which can be told from the OOM killer's SIGKILL
    `--cpu=${cpu}:${cpu + 5}`,
    `--fsize=${Math.floor(limits.fileBytes)}`,
    '--nofile=256',
    '--core=0',
  ]
}
