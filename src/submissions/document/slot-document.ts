// One slot of the submission document: state, uploads and problems.

import type { SubmissionHead } from '../../records/submission-head.ts'
import type { FileProblem } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { judgedDurationSeconds } from '../rules/duration.ts'
import { planDifference } from '../rules/inspect.ts'
import { missingMetadata } from '../rules/metadata.ts'
import { problemOf } from '../rules/texts.ts'
import type { SlotCount } from './counting.ts'
import type { SlotDocument, SlotProblem } from './schemas.ts'
import { closesAt } from './timeliness.ts'
import { byCreation, type DocumentView } from './views.ts'

/** `alternativeTo`: slots of other branches that can replace this one. */
export function slotDocument(
  slot: SlotRules,
  count: SlotCount,
  head: SubmissionHead,
  alternativeTo: readonly string[],
): SlotDocument {
  const standing = [
    ...count.counted,
    ...count.surplus.map(({ upload }) => upload),
    ...count.tooLate,
    ...count.checking,
    ...count.receiving,
  ]
  return {
    slot: slot.id,
    label: slot.label,
    domain: slot.domain,
    min: slot.min,
    max: slot.max,
    state: slotState(slot, count),
    uploads: standing.toSorted(byCreation).map((upload) => upload.id),
    counted: count.counted.map((upload) => upload.id),
    ...(alternativeTo.length > 0 ? { alternativeTo: [...alternativeTo] } : {}),
    metadata: head.slotMetadata[slot.id] ?? {},
    problems: slotProblems(slot, count, head),
  }
}

/**
 * `accepted` as soon as enough files count, independent of other uploads. Otherwise, in this order:
 * bytes are being received, a verdict is pending, a rejection needs action.
 */
function slotState(slot: SlotRules, count: SlotCount): SlotDocument['state'] {
  if (count.counted.length >= Math.max(slot.min, 1)) return 'accepted'
  if (count.receiving.length > 0) return 'receiving'
  if (count.checking.length > 0) return 'checking'
  if (latestRejection(count) || count.tooLate.length > 0) return 'rejected'
  return count.counted.length > 0 ? 'accepted' : 'empty'
}

/** The latest rejection without a newer upload. */
function latestRejection(count: SlotCount): DocumentView | undefined {
  const last = count.rejected.toSorted(byCreation).at(-1)
  const answers = [...count.counted, ...count.checking, ...count.receiving]
  return last && answers.every((upload) => byCreation(upload, last) < 0) ? last : undefined
}

function slotProblems(slot: SlotRules, count: SlotCount, head: SubmissionHead): SlotProblem[] {
  const name = slot.shortLabel
  const warnings = count.counted.flatMap((upload) =>
    upload.problems
      // The planned time is compared on every read: it may be entered after the verdict.
      .filter((problem) => problem.severity === 'warn' && problem.code !== 'PLAN_TIME_MISMATCH')
      .map((problem) => about(upload, problem)),
  )
  const surplus = count.surplus.map(({ upload, kind }) => {
    const limit = kind === null ? slot.max : (slot.maxPerKind[kind] ?? slot.max)
    const ofKind = (other: DocumentView) => kind === null || other.measured?.kind === kind
    const actual = [...count.counted, ...count.surplus.map((s) => s.upload)].filter(ofKind).length
    return about(upload, problemOf('SLOT_OVERFULL', 'warn', { name, limit, actual, kind }))
  })
  const rejection = latestRejection(count)
  return [
    ...(rejection ? rejection.problems.map((problem) => about(rejection, problem)) : []),
    ...count.tooLate.map((upload) => about(upload, tooLate(slot, upload, head))),
    ...surplus,
    ...warnings,
    ...planProblems(slot, count, head),
    ...(asksForMetadata(slot, count) ? missingMetadata(slot, head.slotMetadata[slot.id] ?? {}) : []),
  ]
}

function about(upload: DocumentView, problem: FileProblem): SlotProblem {
  return { ...problem, upload: upload.id }
}

function tooLate(slot: SlotRules, upload: DocumentView, head: SubmissionHead): FileProblem {
  return problemOf('STORED_TOO_LATE', 'reject', {
    name: slot.shortLabel,
    limit: closesAt(head) ?? '',
    actual: upload.storedAt ?? '',
  })
}

function planProblems(slot: SlotRules, count: SlotCount, head: SubmissionHead): SlotProblem[] {
  const planned = slot.plannedTime && head.slotMetadata[slot.plannedTime.slot]?.[slot.plannedTime.field]
  const severity = slot.severities.PLAN_TIME_MISMATCH
  if (typeof planned !== 'number' || severity === 'off') return []
  return count.counted.flatMap((upload) => {
    const seconds = upload.measured ? judgedDurationSeconds(upload.measured) : undefined
    const difference = seconds === undefined ? undefined : planDifference(slot, seconds, planned)
    if (!difference) return []
    // A problem computed on reading cannot withdraw an acceptance.
    const mild = severity === 'reject' ? 'warn' : severity
    return [about(upload, problemOf('PLAN_TIME_MISMATCH', mild, { ...difference, name: slot.shortLabel }))]
  })
}

/** An optional empty slot needs no metadata. */
export function asksForMetadata(slot: SlotRules, count: SlotCount): boolean {
  return slot.min > 0 || count.counted.length > 0
}
