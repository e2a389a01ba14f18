// Removes unfinished writes of the local store from processes that died.

import { readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { WorkerContext } from '../worker-context.ts'

/** Longer than any write. */
const OLD_MS = 86_400_000

/** @returns the number of removed files */
export async function sweepStaging({ config, clock }: Pick<WorkerContext, 'config' | 'clock'>): Promise<number> {
  if (config.storage.kind !== 'local') return 0
  const folder = resolve(config.storage.dataDir, 'staging')
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  let removed = 0
  for (const name of names) {
    const path = join(folder, name)
    // The file is gone: its writer has finished.
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || found.mtimeMs > clock.now() - OLD_MS) continue
    await rm(path, { force: true, recursive: true })
    removed++
  }
  return removed
}
