// The life cycle of an upload: the only place that changes its state. transition-table.ts lists the possible changes;
// here one pure function per cause sets state, event, sequence, problems, checks and lanes together.
// src/records accepts only versions made here.

import { isoTime } from '../core/clock.ts'
import { tombstoneOf } from '../records/tombstones.ts'
import {
  errorAfter,
  isAccepted,
  type LaneName,
  type LaneState,
  type Measured,
  type NextUpload,
  type UploadRecord,
} from '../records/upload-record.ts'
import { recordOfDraft, type UploadDraft } from '../records/upload-session.ts'
import type { Requeue, RunEnd, StartedRun } from './lane-states.ts'
import { endedLane, failedLane, queuedLane, releasedLane, releasedLanes, startedLane, withLane } from './lane-states.ts'
import { areRequiredDone, changed, dueAgain, type Outcome, unmade, withoutMedia } from './rendition-states.ts'
import { type Current, ImpossibleTransition, next } from './transition-table.ts'

/** The first record of an upload: some bytes are durable. */
export function receivingRecord(draft: UploadDraft, object: UploadRecord['object'], sequence: number): NextUpload {
  const first: Current = { ...recordOfDraft(draft, object), state: 'receiving', event: 'upload.created', sequence }
  return first as NextUpload
}

type Stored = { object: UploadRecord['object']; bytes: number; storedAt: string; late: boolean; sequence: number }

/** The last byte is durable; validation is due, except for partial uploads, which are validated with their final one. */
export function storedRecord(current: Current, stored: Stored): NextUpload {
  return next('last byte stored', current, {
    state: 'stored',
    event: 'upload.stored',
    sequence: stored.sequence,
    declared: { ...current.declared, bytes: stored.bytes },
    object: stored.object,
    receivedBytes: stored.bytes,
    storedAt: stored.storedAt,
    late: stored.late,
    lanes: current.concat?.kind === 'partial' ? {} : { validate: { generation: 1, attempts: 0 } },
  })
}

/** A partial upload now belongs to a final upload. */
export function takenByFinal(current: Current, final: string): NextUpload {
  return next('taken by a final upload', current, { concat: { kind: 'partial', final } })
}

/** The final upload has its bytes, or it expired. */
export function partialEnded(current: Current, state: 'cancelled' | 'expired'): NextUpload {
  return next('partial ended', current, { state })
}

export function expired(current: Current, sequence: number): NextUpload {
  return next('expired', current, { state: 'expired', event: 'upload.expired', sequence })
}

/** The store has let go of all its bytes before they were one object. Its time of storing stays: it is evidence. */
export function bytesLost(current: Current, sequence: number): NextUpload {
  const lanes = releasedLanes(current.lanes)
  const error = { code: 'BYTES_LOST', retryable: false }
  return next('bytes lost', current, { state: 'expired', event: 'upload.expired', sequence, lanes, error })
}

/** @param erasing its record is to be erased too */
export function cancelled(current: Current, sequence: number, { erasing = false } = {}): NextUpload {
  const lanes = releasedLanes(current.lanes)
  const change = { state: 'cancelled' as const, event: 'upload.cancelled', sequence, lanes }
  return next('cancelled', current, { ...change, ...(erasing ? { erasing } : {}) })
}

/** An ended upload of which only the tombstone stays. */
export function erased(current: Current, atMs: number): NextUpload {
  next('erased', current, {})
  return tombstoneOf(current, atMs) as NextUpload
}

type Lease = NonNullable<LaneState['claim']>

/** A worker starts a lane's job. A remaining lease is from a worker that died. */
export function laneStarted(current: Current, lane: LaneName, run: StartedRun): NextUpload {
  return next('lane started', current, {
    ...(lane === 'validate' ? { state: 'checking' } : {}),
    lanes: withLane(current, lane, startedLane(current.lanes[lane], run)),
  })
}

/** The worker renews its lease. */
export function laneRenewed(current: Current, lane: LaneName, claim: Lease): NextUpload {
  const state = { ...releasedLane(current.lanes[lane]), claim }
  return next('lane at work', current, { lanes: withLane(current, lane, state) })
}

/** The run was released without a result: the job is retried. */
export function laneReleased(current: Current, lane: LaneName, end: RunEnd = {}): NextUpload {
  return next('lane at work', current, { lanes: withLane(current, lane, releasedLane(current.lanes[lane], end)) })
}

type Failure = {
  message: string
  code: string
  /** Not retried automatically. */
  final: boolean
  /** Null if it was already published. */
  sequence: number | null
  atMs: number
}

/**
 * A lane failed by a system error. Without a verdict the upload is `failed`; an accepted one stays accepted, and a final
 * failure ends its pending renditions.
 */
export function laneFailed(current: Current, lane: LaneName, failure: Failure): NextUpload {
  const { message, code, final, sequence, atMs } = failure
  const state = failedLane(current.lanes[lane], { message, final, at: isoTime(atMs) })
  return next('lane failed', current, {
    ...(lane === 'validate' ? { state: 'failed' } : {}),
    ...(sequence === null ? {} : { event: 'upload.failed', sequence }),
    ...(final && lane === 'transcode' ? { renditions: unmade(current.renditions, code) } : {}),
    lanes: withLane(current, lane, state),
    error: { code, retryable: !final },
  })
}

/** Its job was lost, or an operator retries it (`afresh`: earlier failures do not count). */
export function laneQueuedAgain(current: Current, lane: LaneName, how: Requeue): NextUpload {
  const state = queuedLane(current.lanes[lane], how)
  const again = how.afresh && lane === 'transcode' && current.lanes.transcode?.final === true
  return next('lane queued again', current, {
    lanes: withLane(current, lane, state),
    ...(again ? { renditions: dueAgain(current.renditions) } : {}),
  })
}

/** Another file with the same bytes was found: this one is compared again. */
export function comparisonDue(current: Current): NextUpload {
  const inspect: LaneState = { ...queuedLane(current.lanes.inspect, { afresh: true }), repeat: true }
  return next('lane queued again', current, { lanes: withLane(current, 'inspect', inspect) })
}

export type Verdict = Pick<UploadRecord, 'problems' | 'checks'>
type Judged = Verdict & {
  measured: Measured
  /** Known if the verdict had to read all bytes. */
  sha256: string | undefined
  sequence: number
  atMs: number
}

/** Verdict: accepted. Inspection and renditions are due. */
export function accepted(current: Current, judged: Judged & { renditions: UploadRecord['renditions'] }): NextUpload {
  const { lanes } = current
  return next('judged', current, {
    ...verdict(current, judged),
    state: 'accepted',
    event: 'upload.accepted',
    renditions: judged.renditions,
    lanes: {
      validate: endedLane(lanes.validate, judged.atMs),
      inspect: queuedLane(lanes.inspect, { afresh: true }),
      transcode: queuedLane(lanes.transcode, { afresh: true }),
    },
  })
}

/** Verdict: rejected. No other lane is due, and none counts as done, since the file was not read. */
export function rejected(current: Current, judged: Judged): NextUpload {
  return next('judged', current, {
    ...verdict(current, judged),
    state: 'rejected',
    event: 'upload.rejected',
    renditions: [],
    lanes: { validate: endedLane(current.lanes.validate, judged.atMs) },
  })
}

function verdict(current: Current, { problems, checks, measured, sha256, sequence }: Judged) {
  const object = { key: current.object.key }
  return { problems, checks, measured, object, sequence, sha256: sha256 ?? current.sha256, error: null }
}

type Inspected = Verdict & { measured: Measured; sha256: string; atMs: number }

/** Inspection is done. `rejection`: the sequence of the event, if the findings reject the file. */
export function inspected(current: Current, found: Inspected, rejection: number | null): NextUpload {
  const { problems, checks, measured, sha256, atMs } = found
  const inspect = endedLane(current.lanes.inspect, atMs)
  const lanes = { ...current.lanes, inspect }
  const error = errorAfter(current.error, lanes)
  const result = { problems, checks, measured, sha256, error }
  if (rejection === null) return next('inspected', current, { ...result, lanes })
  // A running transcode stops: its lease ends with the same commit.
  const refused = { state: 'rejected' as const, event: 'upload.rejected', sequence: rejection }
  return next('inspected', current, { ...result, ...refused, lanes: releasedLanes(lanes) })
}

/** `playable`: the sequence of the event, if this is the first playable rendition. */
export function renditionChanged(
  current: Current,
  name: string,
  outcome: Outcome,
  playable: number | null = null,
): NextUpload {
  const renditions = changed(current.renditions, name, outcome)
  const event = playable === null ? {} : { event: 'upload.playable', sequence: playable }
  return next('rendition changed', current, { renditions, ...event })
}

/** Ready, unless a required rendition failed: then the upload stays accepted, with an error. */
export function renditionsFinished(current: Current, news: { sequence: number; atMs: number }): NextUpload {
  const { sequence, atMs } = news
  const lanes = withLane(current, 'transcode', endedLane(current.lanes.transcode, atMs))
  const outcome = areRequiredDone(current.renditions)
    ? { state: 'ready' as const, event: 'upload.ready', error: null }
    : { state: 'accepted' as const, event: 'upload.failed', error: { code: 'RENDITION_FAILED', retryable: false } }
  return next('renditions finished', current, { ...outcome, sequence, lanes })
}

/**
 * A changed profile gives the same verdict.
 *
 * @param isRead whether the inspection results that the rules need are known; otherwise inspection is due again
 */
export function judgementChanged(
  current: Current,
  { problems, checks }: Verdict,
  { isRead }: { isRead: boolean },
): NextUpload {
  const { lanes } = current
  const reads = isAccepted(current.state) && !isRead && lanes.inspect?.doneAt !== undefined
  return next('judged again', current, {
    problems,
    checks,
    ...(reads ? { lanes: { ...lanes, inspect: queuedLane(lanes.inspect, { afresh: true }) } } : {}),
  })
}

/** A changed profile rejects an accepted upload: running work loses its lease. */
export function acceptanceWithdrawn(current: Current, { problems, checks }: Verdict, sequence: number): NextUpload {
  return next('judged again', current, {
    problems,
    checks,
    sequence,
    state: 'rejected',
    event: 'upload.rejected',
    lanes: releasedLanes(current.lanes),
  })
}

/**
 * A changed profile accepts a rejected upload.
 *
 * @param again.isRead whether the inspection results that the rules need are known; otherwise inspection is due
 */
export function acceptedAfterAll(
  current: Current,
  { problems, checks }: Verdict,
  again: { renditions: UploadRecord['renditions']; isRead: boolean; sequence: number },
): NextUpload {
  const { lanes } = current
  if (current.mediaRemovedAt !== undefined)
    throw new ImpossibleTransition(`${current.id} cannot be accepted: its bytes are removed`)
  const inspect = again.isRead ? lanes.inspect : queuedLane(lanes.inspect, { afresh: true })
  return next('judged again', current, {
    problems,
    checks,
    sequence: again.sequence,
    renditions: again.renditions,
    state: 'accepted',
    event: 'upload.accepted',
    lanes: {
      ...lanes,
      ...(inspect === undefined ? {} : { inspect }),
      // Also if all are ready: the end of the lane makes the upload `ready`.
      transcode: queuedLane(lanes.transcode, { afresh: true }),
    },
  })
}

/** A seal was first: the upload gets its sealed state back. Its work is due again. */
export function keptBySeal(current: Current, handedIn: UploadRecord, sequence: number): NextUpload {
  const { state } = handedIn
  if (state !== 'accepted' && state !== 'ready')
    throw new ImpossibleTransition(`${current.id}: a seal cannot list an upload in state ${state}`)
  next('kept by a seal', current, { state })
  const lanes = releasedLanes(handedIn.lanes)
  return { ...handedIn, lanes, event: 'upload.accepted', sequence } as unknown as NextUpload
}

/** Retention removes the bytes; the record stays. A worker that is still making a rendition cannot commit it. */
export function mediaRemoved(current: Current, atMs: number): NextUpload {
  const renditions = withoutMedia(current.renditions)
  const lanes = releasedLanes(current.lanes)
  return next('media removed', current, { mediaRemovedAt: isoTime(atMs), renditions, lanes })
}

export function mediaErased(current: Current, atMs: number): NextUpload {
  return next('media removed', current, { mediaErasedAt: isoTime(atMs) })
}
