// Ends an upload and removes its bytes. The commit comes first: from then on no writer and no worker counts, and what a
// crash leaves behind is known to be rubbish.

import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { Logger } from '../core/logger.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import type { UploadView } from '../records/upload-views.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { keepIfSealed, refuseSealed } from './sealed-uploads.ts'
import { type Current, isPossible } from './transition-table.ts'
import { cancelled as cancelledRecord, receivingRecord } from './transitions.ts'

export type CancelDeps = {
  store: ObjectStore
  hot: UploadSessionStore
  uploads: UploadRecords
  heads: SubmissionHeads
  clock: Clock
  logger: Logger
}

/** Redis answers for a cancelled upload this long; where a record exists, the store does afterwards. */
const ENDED_KEEP_MS = 86_400_000

export type CancelOptions = {
  /** Also what a seal lists: its submission is being deleted. */
  force?: boolean
  /** Only what is still being received: its submission is being sealed. What is whole by now stays as it is. */
  unfinishedOnly?: boolean
}

/**
 * Cancels an upload in whatever state: unfinished, finished or accepted. Idempotent; one that has ended already only has
 * the rest of its bytes removed. A request that is still sending finds out with its next commit.
 *
 * @param view as read from UploadViews
 * @returns false where there was nothing left to cancel
 * @throws SUBMISSION_SEALED (409) where a seal lists it or holds
 */
export async function cancelUpload(deps: CancelDeps, view: UploadView, options: CancelOptions = {}): Promise<boolean> {
  faultPoint('terminate.before-commit')
  const { record, cancelled } = await endUpload(deps, view, options)
  faultPoint('terminate.committed')
  if (options.unfinishedOnly === true && !cancelled) return false
  if (record?.state === 'cancelled') {
    // A seal may have listed it between the look at its head and the commit.
    const kept = options.force !== true && (await keepIfSealed(deps, record))
    if (kept) throw new AppError('SUBMISSION_SEALED', { status: 409 })
    // Again where a crash came between the two: the holder of the lock must not go on believing in it.
    await deps.hot.end(view.id, 'cancelled', ENDED_KEEP_MS)
  }
  await removeBytes(deps, view)
  faultPoint('terminate.bytes-removed')
  return cancelled
}

type Ended = { record: UploadRecord | undefined; cancelled: boolean }

async function endUpload(
  { hot, uploads, heads }: CancelDeps,
  { id, hot: running, record: known }: UploadView,
  { force = false, unfinishedOnly = false }: CancelOptions,
): Promise<Ended> {
  // Of an upload without a stored byte only Redis knows.
  if (known === undefined) {
    if (running?.status === 'cancelled' || running?.status === 'expired') return { record: undefined, cancelled: false }
    if (await hot.endUnstored(id, 'cancelled', ENDED_KEEP_MS)) return { record: undefined, cancelled: true }
  }
  const { record, committed } = await uploads.commit(id, async (current) => {
    if (current !== undefined && !isPossible('cancelled', current)) return undefined
    if (unfinishedOnly && !(await isReceiving(hot, id, current))) return undefined
    const base = current ?? unrecorded(running)
    if (base === undefined) return undefined
    const { owner, submissionId } = base
    if (submissionId === null) return cancelledRecord(base, base.sequence + 1)
    if (!force && !unfinishedOnly) refuseSealed(await heads.latest(owner, submissionId), id)
    return cancelledRecord(base, await heads.nextSequence(owner, submissionId))
  })
  return { record, cancelled: committed }
}

async function isReceiving(hot: UploadSessionStore, id: string, record: UploadRecord | undefined): Promise<boolean> {
  if (record !== undefined && record.state !== 'receiving') return false
  const state = await hot.read(id)
  return state === undefined ? record !== undefined : state.status === 'receiving'
}

/** Somebody is sending the first bytes at this moment: a record that says so, to be ended by the same commit. */
function unrecorded(running: UploadView['hot']): Current | undefined {
  if (running === undefined) return undefined
  const { draft, multipartId, partBytes } = running
  const object = {
    key: objectKeys.data(draft.id),
    ...(multipartId === null ? {} : { multipartId, partBytes }),
  }
  return receivingRecord(draft, object, 0)
}

/** Everything under the upload's prefix but its record, which is the tombstone. */
async function removeBytes({ store, logger }: CancelDeps, { id, hot, record }: UploadView): Promise<void> {
  const multipartId = hot?.multipartId ?? multipartOf(record)
  if (multipartId !== undefined) await store.abortMultipart(objectKeys.data(id), multipartId)
  const kept = objectKeys.uploadRecord(id)
  let removed = 0
  for await (const { key } of store.list(objectKeys.upload(id))) {
    if (key.startsWith(kept)) continue
    await store.remove(key)
    removed++
  }
  logger.info({ uploadId: id, objects: removed }, 'upload cancelled, its bytes removed')
}

/** The multipart upload that is not one object yet. */
function multipartOf(record: UploadRecord | undefined): string | undefined {
  const object = record?.object
  return object?.parts !== undefined || record?.state === 'receiving' ? object?.multipartId : undefined
}
