// The context of an upload: its submission, the slot's rules in the currently pinned profile, and its neighbours.

import type { SubmissionHead } from '../../src/records/submission-head.ts'
import { isAccepted, type UploadRecord } from '../../src/records/upload-record.ts'
import { countSlot } from '../../src/submissions/document/counting.ts'
import { supersededIds } from '../../src/submissions/document/submission.ts'
import type { DocumentView } from '../../src/submissions/document/views.ts'
import { documentViews } from '../../src/submissions/live-views.ts'
import { findSlot, type Profile, type SlotRules } from '../../src/submissions/profiles/profile.ts'
import type { SiblingFile } from '../../src/submissions/rules/inspect.ts'
import type { WorkerContext } from '../worker-context.ts'
import { OPEN_SLOT } from './open-slot.ts'
import { LaneLeaseLost } from './run-lane.ts'

export type Submission = { head: SubmissionHead; profile: Profile }
/** Without `submission` the upload belongs to none, and the slot has no requirements. */
export type SlotContext = { slot: SlotRules; submission?: Submission }

type Deps = Pick<WorkerContext, 'heads' | 'profiles' | 'views' | 'uploads' | 'clock'>

/** Throws LaneLeaseLost if the submission is deleted: then the upload is deleted too. */
export async function slotContextOf(
  { heads, profiles }: Pick<Deps, 'heads' | 'profiles'>,
  { owner, submissionId, slot }: Pick<UploadRecord, 'owner' | 'submissionId' | 'slot'>,
): Promise<SlotContext> {
  if (submissionId === null) return { slot: OPEN_SLOT }
  const head = await heads.latest(owner, submissionId)
  if (head === undefined || head.state === 'deleted') throw new LaneLeaseLost('the submission is gone')
  const profile = profiles.get(head.profile)
  if (profile === undefined) throw new Error(`profile ${head.profile} is not there any more`)
  // A changed profile may not have the slot: a file that counts nowhere has no requirements.
  return { slot: findSlot(profile, slot ?? '') ?? OPEN_SLOT, submission: { head, profile } }
}

/** Other files that count in the same slot. In a slot for one file, each replaces the previous one. */
export async function siblingsInSlot(deps: Deps, record: UploadRecord, { slot, submission }: SlotContext) {
  if (submission === undefined || slot.max === 1) return []
  const uploads = await uploadsOf(deps, submission.head)
  const own = uploads.filter((upload) => upload.slot === slot.id)
  return countSlot(slot, own, submission.head, undefined)
    .counted.filter(({ id }) => id !== record.id && id !== record.replaces)
    .flatMap(({ measured }) => (measured === null ? [] : [{ kind: measured.kind }]))
}

/** Accepted files of the complete submission, with their hashes if known; without replaced ones. */
export async function siblingFiles(
  deps: Deps,
  id: string,
  { submission }: SlotContext,
): Promise<(SiblingFile & { record: UploadRecord })[]> {
  if (submission === undefined) return []
  const { head, profile } = submission
  const records = await deps.heads.uploadsOf(head.owner, head.id)
  const superseded = supersededIds(head, profile, records)
  return records
    .filter((other) => other.id !== id && isAccepted(other.state) && !superseded.has(other.id))
    .map((record) => ({
      id: record.id,
      slot: record.slot ?? '',
      sha256: record.sha256,
      storedAt: record.storedAt,
      slotLabel: findSlot(profile, record.slot ?? '')?.label ?? OPEN_SLOT.label,
      record,
    }))
}

async function uploadsOf({ views, clock }: Deps, head: SubmissionHead): Promise<DocumentView[]> {
  return documentViews(await views.ofSubmission(head.owner, head.id), clock.now())
}
