// The occupants of a slot: files that count or may still count. A file and its unfinished successor share one place;
// so do all partial uploads of a concatenation.

import type { SubmissionHead } from '../records/submission-head.ts'
import { isAccepted, isEnded, isStored, type UploadRecord } from '../records/upload-record.ts'
import type { UploadView } from '../records/upload-views.ts'
import { countSlot } from './document/counting.ts'
import { byCreation, type DocumentView } from './document/views.ts'
import { documentViews } from './live-views.ts'
import type { SlotRules } from './profiles/profile.ts'

export type SlotOccupancy = {
  /** Ids of all uploads ever created in the slot. */
  ever: ReadonlySet<string>
  /** Uploads that count or may still count, oldest first. */
  occupants: readonly DocumentView[]
  /** Places taken, at most one for all partial uploads together. */
  taken: number
  /** Partial uploads without a final upload. */
  openPartials: number
  /** Uploads of the slot that were neither cancelled nor left to expire. */
  unended: number
  /** Files that others have taken the place of, and that are kept. */
  superseded: number
  /** Of all files whose bytes are kept, those that do not count too. */
  storedBytes: number
  /** Of every upload in the slot that has one. */
  records: readonly UploadRecord[]
  /** Whether an upload was created before this time, in any state now. */
  begunBy(momentMs: number): boolean
}

/** @param views all uploads of the slot, or more */
export function slotOccupancy(
  views: readonly UploadView[],
  slot: SlotRules,
  head: SubmissionHead,
  nowMs: number,
): SlotOccupancy {
  const here = views.filter(({ record, hot }) => (record ?? hot?.draft)?.slot === slot.id)
  const live = documentViews(here, nowMs)
  const count = countSlot(slot, live, head, undefined)
  const surplus = count.surplus.map(({ upload }) => upload)
  const occupants = [...count.counted, ...surplus, ...count.checking, ...count.receiving].toSorted(byCreation)
  const openPartials = unusedPartials(live)
  const removed = new Set(here.flatMap(({ id, record }) => (record?.mediaRemovedAt === undefined ? [] : [id])))
  return {
    ever: new Set(here.map(({ id }) => id)),
    occupants,
    taken: occupants.length - beingReplaced(occupants).size + Math.min(1, openPartials),
    openPartials,
    superseded: count.superseded.filter(({ id }) => !removed.has(id)).length,
    storedBytes: here.reduce((sum, { record }) => sum + (record === undefined ? 0 : keptBytes(record)), 0),
    unended: live.filter(({ state }) => !isEnded(state)).length,
    records: here.flatMap(({ record }) => (record === undefined ? [] : [record])),
    begunBy: (momentMs) =>
      here.some(({ record, hot }) => Date.parse((record ?? hot?.draft)?.createdAt ?? '') <= momentMs),
  }
}

function keptBytes({ state, mediaRemovedAt, concat, receivedBytes }: UploadRecord): number {
  // A piece that belongs to a file is counted there.
  const joined = concat?.kind === 'partial' && concat.final !== undefined
  return isStored(state) && mediaRemovedAt === undefined && !joined ? receivedBytes : 0
}

/** Ids of occupants that another occupant will replace. */
export function beingReplaced(occupants: readonly DocumentView[]): Set<string> {
  const ids = new Set(occupants.map(({ id }) => id))
  return new Set(occupants.flatMap(({ replaces }) => (replaces !== null && ids.has(replaces) ? [replaces] : [])))
}

/** The accepted occupant of a slot for one file, if any. */
export function acceptedOccupant({ occupants }: SlotOccupancy): DocumentView | undefined {
  return occupants.findLast(({ state }) => isAccepted(state))
}

function unusedPartials(live: readonly DocumentView[]): number {
  const used = new Set(live.flatMap(({ concat }) => (concat?.kind === 'final' ? concat.partials : [])))
  return live.filter(
    ({ id, concat, state }) =>
      concat?.kind === 'partial' && !used.has(id) && state !== 'expired' && state !== 'cancelled',
  ).length
}
