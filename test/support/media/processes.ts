// Which processes run on this machine, told by a token in their command line; for asserting that none is left.

import { readdir, readFile } from 'node:fs/promises'

/** Ids of living processes whose command line holds the token. Zombies have none and do not count. */
export async function processesWith(token: string): Promise<number[]> {
  const found: number[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    // Gone between the listing and the reading.
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(token)) found.push(Number(entry))
  }
  return found
}
