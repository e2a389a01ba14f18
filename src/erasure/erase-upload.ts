// Erases an upload that has ended: first its tombstone is committed, then everything else is removed, from the store, from
// Redis and from the queues. Repeating it goes on where it stopped, and removes what came late.

import { faultPoint } from '../core/fault-points.ts'
import { uploadJobId } from '../jobs/contract.ts'
import { cancelled, erased, receivingRecord } from '../lifecycle/transitions.ts'
import { forgetUpload } from '../records/forget-upload.ts'
import { objectKeys } from '../records/keys.ts'
import { personOf } from '../records/person.ts'
import { removeAllButTombstone } from '../records/upload-objects.ts'
import { isEnded, type LaneName, type UploadRecord } from '../records/upload-record.ts'
import { fingerprintKeysOf } from '../records/upload-records.ts'
import type { UploadDraft, UploadSession } from '../records/upload-session.ts'
import type { ErasureDeps } from './erasure-deps.ts'

type Deps = Pick<ErasureDeps, 'store' | 'hot' | 'uploads' | 'queues' | 'sameContent' | 'clock'>

/**
 * @returns 'erased': nothing is left; 'at work': but for a job of it that still runs, and the call is to be repeated;
 * 'kept': it has not ended, and nothing of it was removed
 * @throws REDIS_UNAVAILABLE, STORE_UNAVAILABLE: the call is to be repeated
 */
export async function eraseUpload(deps: Deps, id: string): Promise<'erased' | 'at work' | 'kept'> {
  const { store, hot, uploads, sameContent, clock } = deps
  const session = await hot.read(id)
  const before = await uploads.fromStore(id)
  // Redis may not have been told that it has ended: its event is published now, or never.
  if (before !== undefined) await uploads.announce(before)
  const { record } = await uploads.commit(id, async (current) => {
    const ended = current ?? endedDraft(session)
    if (ended === undefined || ended.erasedAt !== undefined || !isEnded(ended.state)) return undefined
    // Before the commit: after it nobody knows the SHA-256 any more, by which the entry is found.
    await sameContent.forget(ended)
    return erased(ended, clock.now())
  })
  faultPoint('erase.upload-committed')
  if (record !== undefined && record.erasedAt === undefined) return 'kept'
  // Until Redis has the tombstone, it shows what the upload was called.
  if (record !== undefined) await uploads.announce(record)
  await abortMultiparts(deps, id, [session?.multipartId, before?.object.multipartId, record?.object.multipartId])
  await removeAllButTombstone(store, id)
  const said: (UploadRecord | UploadDraft | undefined)[] = [before, session?.draft]
  for (const one of said)
    if (one !== undefined)
      await forgetUpload(hot.redis, {
        id,
        owner: one.owner,
        person: personOf(one),
        fingerprintKeys: fingerprintKeysOf(one, hot.keys),
      })
  faultPoint('erase.upload-removed')
  return record === undefined || (await forgetJobs(deps, record)) ? 'erased' : 'at work'
}

/** An upload of which no byte was stored has no record: its tombstone keeps a late writer from making one. */
function endedDraft(session: UploadSession | undefined): ReturnType<typeof cancelled> | undefined {
  if (session === undefined) return undefined
  const { draft, multipartId, partBytes } = session
  const object = { key: objectKeys.data(draft.id), ...(multipartId === null ? {} : { multipartId, partBytes }) }
  return cancelled(receivingRecord(draft, object, 0), 0)
}

async function abortMultiparts({ store }: Deps, id: string, known: (string | null | undefined)[]): Promise<void> {
  const ids = new Set(known.filter((multipartId) => multipartId != null))
  for (const multipartId of ids) await store.abortMultipart(objectKeys.data(id), multipartId)
  // Also of renditions, and those whose id was lost with the process that began them.
  for await (const { key, multipartId } of store.listMultipartUploads(objectKeys.upload(id)))
    await store.abortMultipart(key, multipartId)
}

/** Results and logs of jobs may quote what a tool said about the file. */
async function forgetJobs({ queues }: Deps, { id, lanes }: UploadRecord): Promise<boolean> {
  let isGone = true
  for (const [lane, state] of Object.entries(lanes) as [LaneName, { generation: number }][]) {
    const jobIds = Array.from({ length: state.generation }, (_, i) => uploadJobId(lane, id, i + 1))
    if (!(await queues.forget(lane, jobIds))) isGone = false
  }
  return isGone
}
