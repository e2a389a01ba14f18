// Which uploads of a slot count: accepted, in time, not superseded, and within the slot's numbers.

import type { MediaKind } from '../../core/identify.ts'
import type { SubmissionHead } from '../../records/submission-head.ts'
import { isAccepted } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { type Dates, timelinessOf } from './timeliness.ts'
import { byCreation, byStorage, type DocumentView } from './views.ts'

export type SlotCount = {
  /** In the order in which they were stored. */
  counted: DocumentView[]
  /** Accepted and in time, but above the slot's limit; `kind` if the limit of a kind is the reason. */
  surplus: { upload: DocumentView; kind: MediaKind | null }[]
  /** Accepted, but stored too late. */
  tooLate: DocumentView[]
  /** Complete, in time, without verdict. */
  checking: DocumentView[]
  receiving: DocumentView[]
  superseded: DocumentView[]
  rejected: DocumentView[]
}

/** The uploads of the current seal; undefined: not sealed. */
export function frozenIds(head: Pick<SubmissionHead, 'state' | 'revision' | 'revisions'>): Set<string> | undefined {
  if (head.state !== 'sealed') return undefined
  const { uploads } = head.revisions.find((r) => r.revision === head.revision) ?? {}
  return uploads && new Set(Object.values(uploads).flat())
}

/**
 * Classifies the uploads of a slot.
 *
 * @param uploads all of this slot, of every revision, since accepted files carry over; partial uploads are
 * ignored
 * @param frozen see {@link frozenIds}: only these count
 */
export function countSlot(
  slot: SlotRules,
  uploads: readonly DocumentView[],
  dates: Dates,
  frozen: ReadonlySet<string> | undefined,
): SlotCount {
  const whole = uploads.filter((upload) => upload.concat?.kind !== 'partial').toSorted(byCreation)
  // Sealed uploads stay accepted, even if a verdict came at the moment of the seal.
  const accepted = whole.filter((upload) => isAccepted(upload.state) || frozen?.has(upload.id))
  const inTime = (upload: DocumentView) => timelinessOf(dates, upload).counts
  // A file that does not count replaces nothing: the old file still counts.
  const mayCount = accepted.filter((upload) => (frozen ? frozen.has(upload.id) : inTime(upload)))
  const gone = supersededOf(slot, accepted, mayCount)
  const superseded = accepted.filter(({ id }) => gone.has(id))
  const standing = mayCount.filter(({ id }) => !gone.has(id)).toSorted(byStorage)
  const { counted, surplus } = frozen ? { counted: standing, surplus: [] } : withinNumbers(slot, standing)
  return {
    counted,
    surplus,
    tooLate: frozen ? [] : accepted.filter((upload) => !inTime(upload) && !gone.has(upload.id)),
    checking: frozen ? [] : whole.filter((upload) => isChecking(upload) && inTime(upload)),
    receiving: frozen ? [] : whole.filter((upload) => upload.state === 'receiving'),
    superseded,
    rejected: whole.filter((upload) => upload.state === 'rejected' && !frozen?.has(upload.id)),
  }
}

/** `failed` is a system error that is retried: its verdict is pending. */
function isChecking(upload: DocumentView): boolean {
  return upload.state === 'stored' || upload.state === 'checking' || upload.state === 'failed'
}

/**
 * Ids of the accepted uploads that another has taken the place of: named by `replaces` of an accepted one, directly or
 * through others, that may count; or, in a slot for one file, older than one that may. Older is what was chosen earlier: a
 * forgotten upload that ends late does not push out its successor. What an upload was made to replace is older than it,
 * whatever a clock that was put back says.
 *
 * @param accepted in the order of their creation
 */
function supersededOf(
  slot: SlotRules,
  accepted: readonly DocumentView[],
  mayCount: readonly DocumentView[],
): Set<string> {
  const replacedBy = new Map(accepted.map(({ id, replaces }) => [id, replaces]))
  const gone = new Set<string>()
  for (const { id } of mayCount) addPredecessors(id, replacedBy, gone)
  if (slot.max > 1) return gone
  const newestFirst = mayCount.toReversed()
  for (const upload of accepted) {
    if (gone.has(upload.id)) continue
    const before = addPredecessors(upload.id, replacedBy, new Set())
    if (newestFirst.some((other) => byCreation(upload, other) < 0 && !before.has(other.id))) gone.add(upload.id)
  }
  return gone
}

/** Adds what an upload was made to replace, directly or through other accepted ones, up to what is there already. */
function addPredecessors(id: string, replacedBy: ReadonlyMap<string, string | null>, ids: Set<string>): Set<string> {
  let replaces = replacedBy.get(id) ?? null
  while (replaces !== null && !ids.has(replaces)) {
    ids.add(replaces)
    replaces = replacedBy.get(replaces) ?? null
  }
  return ids
}

/** Two uploads can be accepted for the last place at the same time; the earlier stored one counts. */
function withinNumbers(slot: SlotRules, standing: readonly DocumentView[]): Pick<SlotCount, 'counted' | 'surplus'> {
  const counted: DocumentView[] = []
  const surplus: SlotCount['surplus'] = []
  for (const upload of standing) {
    const kind = upload.measured?.kind
    const most = kind === undefined ? undefined : slot.maxPerKind[kind]
    const same = counted.filter((other) => other.measured?.kind === kind).length
    if (counted.length >= slot.max) surplus.push({ upload, kind: null })
    else if (kind !== undefined && most !== undefined && same >= most) surplus.push({ upload, kind })
    else counted.push(upload)
  }
  return { counted, surplus }
}
