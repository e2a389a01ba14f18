// The first bytes of a file tell what it is: what its slot does not take is refused before the rest is sent.

import { AppError } from '../core/errors.ts'
import { identify } from '../core/identify.ts'
import type { UploadSession } from '../records/upload-session.ts'
import { findSlot, type SlotRules } from '../submissions/profiles/profile.ts'
import { sniffedProblem } from '../submissions/rules/declared.ts'
import type { Sniffer } from './receive.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Undefined where there is nothing to look at: in the middle, of a piece of something, in an upload that has no slot. */
export async function snifferOf(
  deps: UploadDeps,
  { draft, offset, size }: UploadSession,
  known: SlotRules | undefined,
): Promise<Sniffer | undefined> {
  const { kinds } = draft
  if (offset > 0 || kinds.length === 0 || draft.concat?.kind === 'partial') return undefined
  const slot = known ?? (await slotOf(deps, draft))
  // A body may be over long before its file is: what so few bytes do not tell is left to the verdict.
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

/** Undefined where the profile is no longer there: the kinds that the upload was created with are known still. */
async function slotOf(
  { heads, profiles }: UploadDeps,
  { owner, submissionId, slot }: UploadSession['draft'],
): Promise<SlotRules | undefined> {
  const head = submissionId === null ? undefined : await heads.latest(owner, submissionId)
  const profile = head === undefined ? undefined : profiles.get(head.profile)
  return profile === undefined ? undefined : findSlot(profile, slot ?? '')
}
