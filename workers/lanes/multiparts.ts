// Aborts multipart uploads that will never be completed: their process died, or the response was lost, between starting one
// and storing its id. S3 keeps and bills their parts until they are aborted.

import { objectKeys, uploadIdOfKey } from '../../src/records/keys.ts'
import { isSettled } from '../../src/records/upload-records.ts'
import type { WorkerContext } from '../worker-context.ts'

/**
 * Lists the multipart uploads of the complete bucket: one short list instead of a call for every upload.
 *
 * @returns the number of aborted multipart uploads
 */
export async function sweepMultiparts(deps: WorkerContext): Promise<number> {
  let aborted = 0
  for await (const { key, multipartId, begunAtMs } of deps.store.listMultipartUploads(objectKeys.uploads)) {
    const id = uploadIdOfKey(key)
    if (id === undefined || !(await isOver(deps, id, begunAtMs))) continue
    await deps.store.abortMultipart(key, multipartId)
    aborted++
  }
  return aborted
}

/** Whether nothing is received, joined or published for it any more. */
async function isOver({ uploads, hot, clock, config }: WorkerContext, id: string, begunAtMs: number): Promise<boolean> {
  const record = await uploads.fromStore(id)
  if (record !== undefined) return isSettled(record)
  // No byte was acknowledged, and Redis has no session: only its age decides.
  return begunAtMs < clock.now() - config.uploads.expiryMs && (await hot.read(id)) === undefined
}
