// Describes the machine of the measurements.

import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os'

export type Machine = {
  cpu: string
  cores: number
  memoryGib: number
  kernel: string
  node: string
  /** File system under the servers' data. */
  fileSystem: string
}

export async function machine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    fileSystem: await fileSystem(tmpdir()),
  }
}

/** The file system type of the innermost mount that contains the folder; its number if the mount table does not have it. */
async function fileSystem(folder: string): Promise<string> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')
  const found = mounts
    .map((line) => ({ point: line.split(' ')[4] ?? '', type: line.split(' - ')[1]?.split(' ')[0] ?? '' }))
    .filter(({ point }) => folder === point || folder.startsWith(point.endsWith('/') ? point : `${point}/`))
    .sort((a, b) => b.point.length - a.point.length)[0]
  return found?.type ?? `0x${(await statfs(folder)).type.toString(16)}`
}

export function described(m: Machine): string {
  return `${m.cores} × ${m.cpu}, ${m.memoryGib} GiB, Linux ${m.kernel}, Node ${m.node}, ${m.fileSystem}`
}
