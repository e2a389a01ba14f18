// Detects the file type by the first bytes: types that the slot does not accept are refused before the rest is sent.

import { AppError } from '../core/errors.ts'
import { identify } from '../core/identify.ts'
import type { UploadSession } from '../records/upload-session.ts'
import { findSlot, type SlotRules } from '../submissions/profiles/profile.ts'
import { sniffedProblem } from '../submissions/rules/declared.ts'
import type { Sniffer } from './receive.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Undefined if there is nothing to check: not at offset 0, a partial upload, or no slot. */
export async function snifferOf(
  deps: UploadDeps,
  { draft, offset, size }: UploadSession,
  known: SlotRules | undefined,
): Promise<Sniffer | undefined> {
  const { kinds } = draft
  if (offset > 0 || kinds.length === 0 || draft.concat?.kind === 'partial') return undefined
  const slot = known ?? (await slotOf(deps, draft))
  // A body may be shorter than needed for the detection: then the verdict decides.
  return (start, ended) => {
    const identity = identify(start, ended && start.length === size)
    if (identity.kind === 'undecided') return ended
    const { kind, container } = identity
    const problem =
      slot === undefined
        ? kinds.includes(kind)
          ? undefined
          : new AppError('UPLOAD_TYPE_NOT_ALLOWED', { details: { limit: kinds, actual: container } })
        : sniffedProblem(slot, kind, container)
    if (problem !== undefined) throw problem
    return true
  }
}

/** Undefined if the profile no longer exists: then the kinds of the draft are used. */
async function slotOf(
  { heads, profiles }: UploadDeps,
  { owner, submissionId, slot }: UploadSession['draft'],
): Promise<SlotRules | undefined> {
  const head = submissionId === null ? undefined : await heads.latest(owner, submissionId)
  const profile = head === undefined ? undefined : profiles.get(head.profile)
  return profile === undefined ? undefined : findSlot(profile, slot ?? '')
}
