// Processes that a worker has started, directly or through wrappers.

import { readdir, readFile } from 'node:fs/promises'

export type Process = { pid: number; parent: number; command: string }

/** All descendants of a process at this moment. */
export async function descendantsOf(pid: number): Promise<Process[]> {
  const all = await processes()
  const found: Process[] = []
  const parents = new Set([pid])
  for (let grew = true; grew; ) {
    const next = all.filter((one) => parents.has(one.parent) && !parents.has(one.pid))
    for (const one of next) parents.add(one.pid)
    found.push(...next)
    grew = next.length > 0
  }
  return found
}

async function processes(): Promise<Process[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    names.map(async (name): Promise<Process[]> => {
      // Gone between the listing and the look.
      const line = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null)
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
      if (line === null) return []
      const parent = Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[1])
      return [{ pid: Number(name), parent, command: command.replaceAll('\0', ' ') }]
    }),
  )
  return found.flat()
}
