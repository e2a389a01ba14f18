// Validates existing uploads again by a changed profile, from their measurements, without reading files.

import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { LaneJobs } from '../lifecycle/lane-jobs.ts'
import { isFrozenNow, keepIfSealed } from '../lifecycle/sealed-uploads.ts'
import { isPossible } from '../lifecycle/transition-table.ts'
import { acceptanceWithdrawn, acceptedAfterAll, judgementChanged } from '../lifecycle/transitions.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { isAccepted, isLaneDone, type Measured, type UploadRecord } from '../records/upload-record.ts'
import type { UploadDecision, UploadRecords } from '../records/upload-records.ts'
import type { UploadViews } from '../records/upload-views.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { supersededIds } from './document/submission.ts'
import { byStorage } from './document/views.ts'
import { documentViews } from './live-views.ts'
import { plannedRenditions } from './planned-renditions.ts'
import { findSlot, type Profile, type SlotRules } from './profiles/profile.ts'
import { checksFor, type Judgement, withInspection } from './rules/checks.ts'
import { foundBefore, judgeInspection, type SiblingFile } from './rules/inspect.ts'
import { judge } from './rules/judge.ts'

export type RejudgeDeps = {
  store: ObjectStore
  heads: SubmissionHeads
  uploads: UploadRecords
  views: UploadViews
  laneJobs: LaneJobs
  clock: Clock
  logger: Logger
}

/**
 * Validates every measured upload of a submission by a profile and commits changed verdicts. Idempotent. Uploads of
 * unknown slots keep their verdict: they are not shown until a profile has the slot again.
 *
 * @returns how many verdicts changed
 */
export async function rejudge(deps: RejudgeDeps, head: SubmissionHead, profile: Profile): Promise<number> {
  if (head.state === 'sealed' || head.state === 'deleted') return 0
  const views = await deps.views.ofSubmission(head.owner, head.id)
  const gone = supersededIds(head, profile, documentViews(views, deps.clock.now()))
  // By the time of the last stored byte: the first file keeps its place.
  const records = views.flatMap(({ record }) => (record === undefined ? [] : [record])).toSorted(byStorage)
  const accepted: UploadRecord[] = []
  let changed = 0
  for (const record of records) {
    const slot = findSlot(profile, record.slot ?? '')
    const siblings = accepted.filter(({ id }) => id !== record.replaces && !gone.has(id))
    const outcome = await deps.uploads.commit(record.id, async (current) =>
      current === undefined || slot === undefined
        ? undefined
        : await decide(deps, { head, profile, slot, current, siblings }),
    )
    const { record: now, committed } = outcome
    // The submission may be sealed meanwhile: sealed files stay accepted.
    if (committed && now?.state === 'rejected' && (await keepIfSealed(deps, now, isFrozenNow))) continue
    if (now !== undefined && isAccepted(now.state)) accepted.push(now)
    if (!committed || now === undefined) continue
    changed++
    await deps.laneJobs.enqueueDue(now)
  }
  if (changed > 0) deps.logger.info({ submissionId: head.id, profile: profile.key, changed }, 'judged again')
  return changed
}

type Case = {
  head: SubmissionHead
  profile: Profile
  slot: SlotRules
  current: UploadRecord
  siblings: readonly UploadRecord[]
}

async function decide(deps: RejudgeDeps, the: Case): Promise<UploadDecision> {
  const { head, slot, current } = the
  const { measured } = current
  if (measured === null || !isPossible('judged again', current) || current.concat?.kind === 'partial') return undefined
  const isRead = isReadFor(current, slot, measured)
  const { problems, checks, accepted } = verdictOn(the, measured)
  const verdict = { problems, checks }
  if (accepted === isAccepted(current.state)) {
    const before = { problems: current.problems, checks: current.checks }
    return isDeepStrictEqual(verdict, before) ? undefined : judgementChanged(current, verdict, { isRead })
  }
  // Rejected files are removed by retention: a removed file cannot be accepted.
  const isGone = async () => (await deps.store.head(current.object.key)) === undefined
  if (accepted && (current.mediaRemovedAt !== undefined || (await isGone()))) return undefined
  const sequence = await deps.heads.nextSequence(head.owner, head.id)
  if (!accepted) return acceptanceWithdrawn(current, verdict, sequence)
  const renditions = current.renditions.length > 0 ? current.renditions : plannedRenditions(slot, measured)
  return acceptedAfterAll(current, verdict, { renditions, isRead, sequence })
}

/** Whether the file was inspected, and the record has all results that the slot's rules need. */
function isReadFor(current: UploadRecord, slot: SlotRules, { kind }: Measured): boolean {
  const asked = checksFor('inspect', kind, slot).some(({ name }) => name === 'decodable')
  return isInspected(current) && (!asked || foundBefore(current).decodable !== undefined)
}

function isInspected({ lanes, sha256 }: UploadRecord): boolean {
  return isLaneDone(lanes.inspect) && sha256 !== null
}

function verdictOn(the: Case, measured: Measured): Judgement {
  const { slot, current, siblings } = the
  const inSlot = siblings.flatMap((other) =>
    other.slot === slot.id && other.measured !== null ? [{ kind: other.measured.kind }] : [],
  )
  const verdict = judge({
    slot,
    measured,
    declared: current.declared,
    actualBytes: current.receivedBytes,
    siblings: inSlot,
  })
  if (verdict.accepted ? !isReadFor(current, slot, measured) : !isInspected(current)) return verdict
  return withInspection(verdict, inspectedBefore(the, measured))
}

/** The recorded inspection results, judged by the slot's current rules. */
function inspectedBefore({ head, profile, slot, current, siblings }: Case, measured: Measured): Judgement {
  const planned = slot.plannedTime && head.slotMetadata[slot.plannedTime.slot]?.[slot.plannedTime.field]
  return judgeInspection({
    slot,
    measured,
    ...foundBefore(current),
    ...(typeof planned === 'number' ? { plannedMinutes: planned } : {}),
    upload: current,
    siblings: siblings.flatMap((other): SiblingFile[] => {
      const label = findSlot(profile, other.slot ?? '')?.shortLabel
      return label === undefined ? [] : [{ ...other, slot: other.slot ?? '', slotLabel: label }]
    }),
    sealed: false,
  })
}
