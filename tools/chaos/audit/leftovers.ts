// Leftovers in the installation: orphaned objects, multipart uploads, processes, scratch folders.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { processesWith } from '../../../test/support/media/processes.ts'
import type { Hand } from '../model.ts'
import type { Stage } from '../stage/stage.ts'

/** Ids of all uploads with objects in the store. */
export async function idsInStore({ bytes }: Stage): Promise<Set<string>> {
  const keys = await bytes.list('uploads/')
  return new Set(keys.map((key) => key.split('/')[2] ?? ''))
}

export async function auditLeftovers(
  stage: Stage,
  hands: readonly Hand[],
  known: ReadonlySet<string>,
): Promise<string[]> {
  const errors: string[] = []
  const handed = new Set(hands.flatMap(({ files }) => files.map(({ id }) => id)))
  for (const id of await idsInStore(stage)) if (!handed.has(id) && !known.has(id)) errors.push(`orphan upload ${id}`)
  for (const key of await stage.bytes.openMultiparts()) errors.push(`orphan multipart upload of ${key}`)
  for (const folder of scratchFolders(stage)) errors.push(`scratch folder ${folder}`)
  // Media tools have this folder in their arguments; service and worker have it in their environment only.
  for (const pid of await processesWith(`${stage.dir}/`))
    if (pid !== stage.service.pid && pid !== stage.worker.pid) errors.push(`orphan process ${pid}`)
  return errors
}

function scratchFolders({ dir, data, kind }: Stage): string[] {
  const folder = join(kind === 'local' ? data : join(dir, 'two'), 'scratch')
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
