// Restores the session of an unfinished upload from the store and its record: after a loss of Redis, or after its holder
// died and had stored more than it saved.

import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Completion } from '../lifecycle/completion.ts'
import { receivingRecord } from '../lifecycle/transitions.ts'
import { objectKeys } from '../records/keys.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import { draftOf, type UploadDraft, type UploadSession } from '../records/upload-session.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import type { Recovered, UploadStore } from './stores/port.ts'

export type RestoreDeps = {
  hot: UploadSessionStore
  uploads: UploadRecords
  completion: Completion
  store: UploadStore
  clock: Clock
  expiryMs: number
}

/** Minimum time before a restored session expires. */
const RESTORED_AT_LEAST_MS = 3_600_000

/**
 * Writes the session as the store has it, under `fence` if a request holds the lock.
 *
 * @throws UPLOAD_UNKNOWN if neither the record nor Redis has its draft
 */
export async function restoreReceiving(
  deps: RestoreDeps,
  record: UploadRecord | undefined,
  known: UploadSession | undefined,
  fence: string | null,
  formerHolder: string | null = null,
): Promise<UploadSession> {
  const { hot, store, clock, expiryMs } = deps
  const draft = record === undefined ? known?.draft : draftOf(record)
  if (draft === undefined) throw new AppError('UPLOAD_UNKNOWN')
  const now = clock.now()
  const size = known?.size ?? draft.declared.bytes
  const partBytes = known?.partBytes || record?.object.partBytes || store.partBytes(size, draft.maxBytes)
  const recovered = await store.recover(draft, {
    multipartId: known?.multipartId ?? record?.object.multipartId ?? null,
    partBytes,
    formerHolder,
    ...(known?.trusted === true && known.restored !== true ? { tailKey: known.tailKey } : {}),
  })
  const version = record?.version ?? (await recordRecovered(deps, draft, recovered, partBytes))
  const state: UploadSession = {
    draft,
    size,
    offset: Math.min(recovered.offset, size ?? Number.MAX_SAFE_INTEGER),
    status: 'receiving',
    version,
    // The time of its last byte is unknown: the expiry starts again.
    expiresAtMs: Math.max(known?.expiresAtMs ?? now + expiryMs, now + Math.min(expiryMs, RESTORED_AT_LEAST_MS)),
    storedAtMs: null,
    multipartId: recovered.multipartId,
    partBytes,
    tailKey: recovered.tailKey,
    inFlight: known?.inFlight ?? null,
    holder: null,
    abandoned: false,
    trusted: true,
  }
  await hot.restore(state, recovered.parts, fence)
  return state
}

/** Commits the first record before bytes are acknowledged, or they would be lost with Redis. */
async function recordRecovered(
  deps: RestoreDeps,
  draft: UploadDraft,
  recovered: Recovered,
  partBytes: number,
): Promise<number> {
  if (recovered.offset === 0) return 0
  const { uploads, completion } = deps
  const { record } = await uploads.commit(draft.id, async (current) => {
    if (current !== undefined) return undefined
    const { multipartId } = recovered
    const object = {
      key: objectKeys.data(draft.id),
      ...(multipartId === null ? {} : { multipartId, partBytes }),
    }
    return receivingRecord(draft, object, await completion.nextSequence(draft, undefined))
  })
  return record?.version ?? 0
}
