// What nobody accounts for in the whole installation: objects, multipart uploads, processes, folders of work.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { processesWith } from '../../../test/support/media/processes.ts'
import type { Hand } from '../model.ts'
import type { Stage } from '../stage/stage.ts'

/** Ids of the uploads that something in the store belongs to. */
export async function idsInStore({ bytes }: Stage): Promise<Set<string>> {
  const keys = await bytes.list('uploads/')
  return new Set(keys.map((key) => key.split('/')[2] ?? ''))
}

export async function auditLeftovers(
  stage: Stage,
  hands: readonly Hand[],
  known: ReadonlySet<string>,
): Promise<string[]> {
  const faults: string[] = []
  const handed = new Set(hands.flatMap(({ files }) => files.map(({ id }) => id)))
  for (const id of await idsInStore(stage)) if (!handed.has(id) && !known.has(id)) faults.push(`orphan upload ${id}`)
  for (const key of await stage.bytes.begun()) faults.push(`orphan multipart upload of ${key}`)
  for (const folder of scratchFolders(stage)) faults.push(`scratch folder ${folder}`)
  // Tools run in a folder below; the service and the worker themselves are told of it by their environment only.
  for (const pid of await processesWith(`${stage.dir}/`))
    if (pid !== stage.service.pid && pid !== stage.worker.pid) faults.push(`orphan process ${pid}`)
  return faults
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
