// Retention: removes the media of rejected and replaced files after their retention period, and all of a closed submission when
// its date has come; the records stay.

import { keptUntilMs } from '../../src/records/submission-head.ts'
import { isAccepted, type UploadRecord } from '../../src/records/upload-record.ts'
import { supersededIds } from '../../src/submissions/document/submission.ts'
import type { WorkerContext } from '../worker-context.ts'
import { removeClosedMedia } from './closed-media.ts'
import { removeMedia } from './remove-media.ts'

const DAY_MS = 86_400_000

/**
 * Renews the checkpoint of the index, and checks the submissions of which that tells that something may have to be removed.
 *
 * @returns the number of uploads whose media were deleted
 */
export async function applyRetention(deps: WorkerContext, signal?: AbortSignal): Promise<number> {
  await deps.rebuilder.heal()
  const removable = await deps.rebuilder.writeCheckpoint()
  // Redis is being rebuilt: the media stay for another day.
  if (removable === undefined) return 0
  let removed = 0
  const { rejectedDays, supersededDays } = deps.config.retention
  const beforeMs = deps.clock.now() - Math.min(rejectedDays, supersededDays) * DAY_MS
  for (const { owner, id, sinceMs } of removable) {
    if (sinceMs > beforeMs) continue
    signal?.throwIfAborted()
    removed += await ofSubmission(deps, owner, id)
  }
  if (removed > 0) deps.logger.info({ uploads: removed }, 'retention: media removed')
  return removed
}

async function ofSubmission(deps: WorkerContext, owner: string, id: string): Promise<number> {
  const head = await deps.heads.latest(owner, id)
  if (head === undefined || head.state === 'deleted') return 0
  if ((keptUntilMs(head) ?? Number.POSITIVE_INFINITY) <= deps.clock.now()) return await removeClosedMedia(deps, head)
  const profile = deps.profiles.get(head.profile)
  const records = await deps.heads.uploadsOf(owner, id)
  const superseded = profile === undefined ? new Set<string>() : supersededIds(head, profile, records)
  // Sealed files are evidence until the submission is closed and its date has come.
  const frozen = new Set(head.revisions.flatMap(({ uploads }) => Object.values(uploads ?? {}).flat()))
  let removed = 0
  for (const record of records) {
    if (frozen.has(record.id) || !isOver(deps, record, superseded.has(record.id), records)) continue
    if (await removeMedia(deps, record.id)) removed++
  }
  return removed
}

function isOver(
  { config, clock }: Pick<WorkerContext, 'config' | 'clock'>,
  record: UploadRecord,
  superseded: boolean,
  records: readonly UploadRecord[],
): boolean {
  // Started by a worker that died before the end: continue.
  if (record.mediaRemovedAt !== undefined) return record.mediaErasedAt === undefined
  const olderThan = (iso: string | null, days: number) => iso !== null && Date.parse(iso) < clock.now() - days * DAY_MS
  const { rejectedDays, supersededDays } = config.retention
  if (record.state === 'rejected') return olderThan(record.committedAt, rejectedDays)
  if (!superseded) return false
  // The time of replacement is when the replacing file was stored: the first accepted one after it in the same slot.
  const since = records
    .filter(({ slot, state, createdAt }) => slot === record.slot && isAccepted(state) && createdAt > record.createdAt)
    .flatMap(({ storedAt }) => storedAt ?? [])
    .toSorted()
    .at(0)
  return olderThan(since ?? null, supersededDays)
}
