// The command line that starts an isolated media tool. launch.pl sets up isolation and then executes the tool in the same
// process. This file composes its arguments: allowed files, limits, allowed system calls.

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seccompFilter } from './seccomp.ts'

export type ToolLimits = {
  /** Real time after which the tool is ended. */
  wallMs: number
  /** CPU time of all its threads. */
  cpuSeconds: number
  /** Address space; decoders with many threads reserve far more than they touch. */
  memoryBytes: number
  /** Maximum output on stdout. */
  outputBytes: number
  /** Largest file that it may write. */
  fileBytes: number
}

/** `landlock`: Landlock and seccomp. `none`: only limits, and the tool ends with the worker. */
export type Isolation = 'landlock' | 'none'

export type FencedCommand = {
  /** Absolute. */
  tool: string
  args: readonly string[]
  limits: ToolLimits
  /** Absolute paths of files that the tool may read. */
  reads: readonly string[]
  /** Absolute paths of files that the tool may write, and read again; made when missing. It can make no others. */
  writes: readonly string[]
  /** 1 to 19: the higher, the less CPU time it gets beside others (nice(2)). */
  nice: number
}

/** Architectures that the launcher supports. */
const FILTER = seccompFilter(process.arch === 'arm64' ? 'arm64' : 'x64').toString('hex')

/** @internal */
export const LAUNCHER = fileURLToPath(new URL('launch.pl', import.meta.url))

/**
 * Paths that every tool may read: programs, libraries, fonts and the number of CPUs. Not all of /usr, because some
 * installations keep an application and its data there.
 *
 * @internal
 */
export const SYSTEM_TREES: readonly string[] = [
  '/usr/bin',
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/usr/libexec',
  '/usr/share',
  '/usr/local/bin',
  '/usr/local/lib',
  '/usr/local/share',
  '/bin',
  '/lib',
  '/lib64',
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/fonts',
  '/var/cache/fontconfig',
  '/etc/localtime',
  '/dev/urandom',
  '/dev/zero',
  '/sys/devices/system/cpu',
  '/sys/devices/system/node',
]

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

/**
 * The complete command: the launcher, what it allows, then the tool.
 *
 * @param perl absolute path of the interpreter
 */
export function fence(perl: string, isolation: Isolation, command: FencedCommand): { file: string; args: string[] } {
  const { tool, args, limits, reads, writes, nice } = command
  const orders = [
    `arch=${process.arch}`,
    `parent=${process.pid}`,
    `nice=${nice}`,
    `as=${Math.floor(limits.memoryBytes)}`,
    `cpu=${Math.max(1, Math.ceil(limits.cpuSeconds))}`,
    `fsize=${Math.floor(limits.fileBytes)}`,
  ]
  if (isolation === 'landlock') {
    orders.push('landlock=1', `exec=${tool}`, `filter=${FILTER}`)
    orders.push(...SYSTEM_TREES.map((path) => `tree=${path}`))
    orders.push(...reads.map((path) => `read=${path}`))
    orders.push(...['/dev/null', ...writes].map((path) => `write=${path}`))
  }
  return { file: perl, args: [LAUNCHER, ...orders, '--', tool, ...args] }
}
