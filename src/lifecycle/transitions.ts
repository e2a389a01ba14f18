// The life of an upload: the only place that changes its state. A table (transition-table.ts) says which cause leads from
// which state to which, and one pure function per cause sets state, event, sequence, problems, checks and lanes together.
// Whoever commits a version gets it from here: src/records takes no other.

import { isoTime } from '../core/clock.ts'
import {
  type Check,
  type FileProblem,
  isAccepted,
  type LaneName,
  type LaneState,
  type Measured,
  type NextUpload,
  type Rendition,
  type StoredObject,
  type UploadRecord,
} from '../records/upload-record.ts'
import { recordOfDraft, type UploadDraft } from '../records/upload-session.ts'
import { endedLane, failedLane, queuedLane, releasedLane, releasedLanes, startedLane } from './lane-states.ts'
import { areRequiredDone, changed, dueAgain, type Outcome, unmade, withoutMedia } from './rendition-states.ts'
import { type Current, ImpossibleTransition, next } from './transition-table.ts'

function withLane(current: Current, lane: LaneName, state: LaneState): Current['lanes'] {
  return { ...current.lanes, [lane]: state }
}

/** The first record of an upload: some bytes are durable. */
export function receivingRecord(draft: UploadDraft, object: StoredObject, sequence: number): NextUpload {
  const first: Current = {
    ...recordOfDraft(draft, object),
    state: 'receiving',
    event: 'upload.created',
    sequence,
  }
  return first as NextUpload
}

type Stored = { object: StoredObject; bytes: number; storedAt: string; late: boolean; sequence: number }

/** The last byte is durable; validation is due, unless it is a partial upload: that is judged as part of its final one. */
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

/** A partial upload belongs to one final upload from now on. */
export function takenByFinal(current: Current, final: string): NextUpload {
  return next('taken by a final upload', current, { concat: { kind: 'partial', final } })
}

/** The final upload holds its bytes now, or nobody asked for them in time. */
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

export function cancelled(current: Current, sequence: number): NextUpload {
  const lanes = releasedLanes(current.lanes)
  return next('cancelled', current, { state: 'cancelled', event: 'upload.cancelled', sequence, lanes })
}

type Claim = NonNullable<LaneState['claim']>

/** A worker begins a lane's job. A claim that is still there is that of a run that ended without a word. */
export function laneStarted(current: Current, lane: LaneName, run: { generation: number; claim: Claim }): NextUpload {
  return next('lane started', current, {
    ...(lane === 'validate' ? { state: 'checking' } : {}),
    lanes: withLane(current, lane, startedLane(current.lanes[lane], run)),
  })
}

/** The worker is still at it. */
export function laneRenewed(current: Current, lane: LaneName, claim: Claim): NextUpload {
  const state = current.lanes[lane] ?? { generation: 1, attempts: 0 }
  return next('lane at work', current, { lanes: withLane(current, lane, { ...state, claim }) })
}

/** The run ended without a result and says so: the job is tried again. */
export function laneReleased(current: Current, lane: LaneName): NextUpload {
  const state = current.lanes[lane] ?? { generation: 1, attempts: 0 }
  return next('lane at work', current, { lanes: withLane(current, lane, releasedLane(state)) })
}

type Failure = {
  message: string
  code: string
  /** Not tried again by itself. */
  final: boolean
  /** Null where readers have heard of it. */
  sequence: number | null
  atMs: number
}

/**
 * A lane is given up, by our fault. Without a verdict the upload is `failed`; an accepted one stays accepted, and what is
 * given up for good will have no more renditions than it has.
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

/** Its job was lost, or an operator begins it again (`afresh`: nothing that went wrong before counts). */
export function laneQueuedAgain(current: Current, lane: LaneName, { afresh }: { afresh: boolean }): NextUpload {
  const state = queuedLane(current.lanes[lane], { afresh })
  const again = afresh && lane === 'transcode' && current.lanes.transcode?.final === true
  return next('lane queued again', current, {
    lanes: withLane(current, lane, state),
    ...(again ? { renditions: dueAgain(current.renditions) } : {}),
  })
}

/** Another file with the same bytes has become known: this one, read before, is compared once more. */
export function comparisonDue(current: Current): NextUpload {
  const { lanes } = current
  const inspect: LaneState = { ...queuedLane(lanes.inspect, { afresh: true }), repeat: true }
  return next('lane queued again', current, { lanes: { ...lanes, inspect } })
}

export type Verdict = { problems: FileProblem[]; checks: Check[] }
type Judged = Verdict & {
  measured: Measured
  /** Where the verdict had to read all bytes. */
  sha256: string | undefined
  sequence: number
  atMs: number
}

/** The verdict: the file counts. Reading all of it and making renditions are due. */
export function accepted(current: Current, judged: Judged & { renditions: Rendition[] }): NextUpload {
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

/** The verdict: the file breaks a rule. No other lane is due, and none counts as done: nobody has read the file. */
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

/** All bytes were read. `rejection`: the sequence of the event where what was found rejects the file. */
export function inspected(current: Current, found: Inspected, rejection: number | null): NextUpload {
  const { problems, checks, measured, sha256, atMs } = found
  const inspect = endedLane(current.lanes.inspect, atMs)
  const lanes = { ...current.lanes, inspect }
  const error = errorAfter(current, lanes)
  const result = { problems, checks, measured, sha256, error }
  if (rejection === null) return next('inspected', current, { ...result, lanes })
  // Whoever makes renditions of it stops: its claim goes with the same commit.
  const refused = { state: 'rejected' as const, event: 'upload.rejected', sequence: rejection }
  return next('inspected', current, { ...result, ...refused, lanes: releasedLanes(lanes) })
}

/** What a lane had failed by is mended once no lane has failed any more. */
function errorAfter({ error }: Current, lanes: Current['lanes']): Current['error'] {
  const isMended = Object.values(lanes).every(({ failedAt }) => failedAt === undefined)
  return error?.retryable === true && isMended ? null : error
}

/** `playable`: the sequence of the event where this is the first rendition that plays. */
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

/** Ready, unless a rendition that is required could not be made: the upload stays accepted and says so. */
export function renditionsFinished(current: Current, news: { sequence: number; atMs: number }): NextUpload {
  const { sequence, atMs } = news
  const lanes = withLane(current, 'transcode', endedLane(current.lanes.transcode, atMs))
  const outcome = areRequiredDone(current.renditions)
    ? { state: 'ready' as const, event: 'upload.ready', error: null }
    : {
        state: 'accepted' as const,
        event: 'upload.failed',
        error: { code: 'RENDITION_FAILED', retryable: false },
      }
  return next('renditions finished', current, { ...outcome, sequence, lanes })
}

/**
 * Other rules, the same outcome.
 *
 * @param isRead whether what the rules ask of the bytes is known; otherwise they are read once more
 */
export function judgementChanged(
  current: Current,
  { problems, checks }: Verdict,
  { isRead }: { isRead: boolean },
): NextUpload {
  const { lanes } = current
  const isDone = lanes.inspect?.doneAt !== undefined
  const reads = isAccepted(current.state) && !isRead && isDone
  return next('judged again', current, {
    problems,
    checks,
    ...(reads ? { lanes: { ...lanes, inspect: queuedLane(lanes.inspect, { afresh: true }) } } : {}),
  })
}

/** Other rules refuse what was accepted: whoever is at work on it loses its claim. */
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
 * Other rules take what was refused.
 *
 * @param again.isRead whether what the rules ask of the bytes is known; otherwise reading them is due
 */
export function acceptedAfterAll(
  current: Current,
  { problems, checks }: Verdict,
  again: { renditions: Rendition[]; isRead: boolean; sequence: number },
): NextUpload {
  const { lanes } = current
  if (current.mediaRemovedAt !== undefined)
    throw new ImpossibleTransition(`${current.id}: its bytes are gone, it cannot be accepted`)
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
      // Also where all are made: the lane's end is what makes an upload `ready`.
      transcode: queuedLane(lanes.transcode, { afresh: true }),
    },
  })
}

/** A seal was first: the upload is as it was when it was handed in. What was being done on it is done again. */
export function keptBySeal(current: Current, handedIn: UploadRecord, sequence: number): NextUpload {
  const { state } = handedIn
  if (state !== 'accepted' && state !== 'ready')
    throw new ImpossibleTransition(`${current.id}: a seal lists no upload that is ${state}`)
  next('kept by a seal', current, { state })
  const lanes = releasedLanes(handedIn.lanes)
  return { ...handedIn, lanes, event: 'upload.accepted', sequence } as unknown as NextUpload
}

/** Nobody is promised its bytes from here on; the record stays. */
export function mediaRemoved(current: Current, atMs: number): NextUpload {
  const renditions = withoutMedia(current.renditions)
  return next('media removed', current, { mediaRemovedAt: isoTime(atMs), renditions })
}

export function mediaErased(current: Current, atMs: number): NextUpload {
  return next('media removed', current, { mediaErasedAt: isoTime(atMs) })
}
