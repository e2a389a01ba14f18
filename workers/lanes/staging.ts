// Unfinished writes of the local store, left behind by processes that died.

import { readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { WorkerContext } from '../worker-context.ts'

/** No write takes so long. */
const OLD_MS = 86_400_000

/** @returns how many files were removed */
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
    // Gone meanwhile: its writer has finished.
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || found.mtimeMs > clock.now() - OLD_MS) continue
    await rm(path, { force: true, recursive: true })
    removed++
  }
  return removed
}
