// Cancels an upload and removes its bytes. The commit comes first: after it no writer or worker can commit, and bytes left
// by a crash are known to be unused.

import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { Logger } from '../core/logger.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { removeAllButRecords } from '../records/upload-objects.ts'
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

/** How long Redis keeps the session of a cancelled upload; later the record answers, if there is one. */
const ENDED_KEEP_MS = 86_400_000

export type CancelOptions = {
  /** Also uploads listed by a seal: the submission is being deleted. */
  force?: boolean
  /** Only incomplete uploads: the submission is being sealed. Complete ones are not changed. */
  unfinishedOnly?: boolean
  /** Its record is to be erased too, also if this process dies before that. */
  erasing?: boolean
}

/**
 * Cancels an upload in any state. Idempotent: for an ended upload only
 * remaining bytes are removed. A running request fails at its next commit.
 *
 * @param view as read from UploadViews
 * @returns false if there was nothing to cancel
 * @throws SUBMISSION_SEALED (409) if the submission is sealed or a seal lists it
 */
export async function cancelUpload(deps: CancelDeps, view: UploadView, options: CancelOptions = {}): Promise<boolean> {
  faultPoint('terminate.before-commit')
  const { record, cancelled } = await endUpload(deps, view, options)
  faultPoint('terminate.committed')
  if (options.unfinishedOnly === true && !cancelled) return false
  if (record?.state === 'cancelled') {
    // A seal may have listed it between reading the head and the commit.
    const kept = options.force !== true && (await keepIfSealed(deps, record))
    if (kept) throw new AppError('SUBMISSION_SEALED', { status: 409 })
    // Repeated after a crash between the two: it ends the lock.
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
  { force = false, unfinishedOnly = false, erasing = false }: CancelOptions,
): Promise<Ended> {
  // An upload without stored bytes exists only in Redis.
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
    if (submissionId === null) return cancelledRecord(base, base.sequence + 1, { erasing })
    if (!force && !unfinishedOnly) refuseSealed(await heads.latest(owner, submissionId), id)
    return cancelledRecord(base, await heads.nextSequence(owner, submissionId), { erasing })
  })
  return { record, cancelled: committed }
}

async function isReceiving(hot: UploadSessionStore, id: string, record: UploadRecord | undefined): Promise<boolean> {
  if (record !== undefined && record.state !== 'receiving') return false
  const state = await hot.read(id)
  return state === undefined ? record !== undefined : state.status === 'receiving'
}

/** For an upload that is just receiving its first bytes: a record to end by this commit. */
function unrecorded(running: UploadView['hot']): Current | undefined {
  if (running === undefined) return undefined
  const { draft, multipartId, partBytes } = running
  const object = {
    key: objectKeys.data(draft.id),
    ...(multipartId === null ? {} : { multipartId, partBytes }),
  }
  return receivingRecord(draft, object, 0)
}

/** Everything under the upload's prefix except its record, which is the tombstone. */
async function removeBytes({ store, logger }: CancelDeps, { id, hot, record }: UploadView): Promise<void> {
  const multipartId = hot?.multipartId ?? multipartOf(record)
  if (multipartId !== undefined) await store.abortMultipart(objectKeys.data(id), multipartId)
  const objects = await removeAllButRecords(store, id)
  logger.info({ uploadId: id, objects }, 'upload cancelled, its bytes removed')
}

/** The multipart upload, if not completed. */
function multipartOf(record: UploadRecord | undefined): string | undefined {
  const object = record?.object
  return object?.parts !== undefined || record?.state === 'receiving' ? object?.multipartId : undefined
}
