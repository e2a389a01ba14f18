// PATCH of the metadata fields of a slot.

import { isDeepStrictEqual } from 'node:util'
import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { requireVersion } from '../http/conditional.ts'
import { type CompletenessDeps, refreshCompleteness } from './completeness.ts'
import { slotOf } from './creation.ts'
import { type LoadedSubmission, loadSubmission } from './documents.ts'
import { metadataProblem } from './rules/metadata.ts'

/**
 * Sets the named fields of a slot; null clears one. Repeating it changes nothing.
 *
 * @param expected version of the head; see `expectedVersion`
 * @throws PRECONDITION_FAILED, SUBMISSION_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_SEALED (409), SLOT_UNKNOWN, SLOT_METADATA_INVALID {fields}
 */
export async function patchSlotMetadata(
  deps: CompletenessDeps,
  owner: string,
  id: string,
  slotId: string,
  values: Record<string, unknown>,
  expected?: number,
): Promise<LoadedSubmission> {
  await deps.heads.commit(owner, id, async (current) => {
    if (current === undefined) throw new AppError('SUBMISSION_UNKNOWN')
    if (current.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
    requireVersion(current, expected)
    if (current.state === 'sealed') throw new AppError('SUBMISSION_SEALED', { status: 409 })
    const { slot } = slotOf(deps.profiles, current, slotId)
    const problem = metadataProblem(slot, values)
    if (problem !== undefined) throw problem
    const before = current.slotMetadata[slot.id] ?? {}
    const merged = Object.entries({ ...before, ...values }).filter(([, value]) => value !== null)
    const after = Object.fromEntries(merged)
    if (isDeepStrictEqual(before, after)) return undefined
    return {
      ...current,
      slotMetadata: { ...current.slotMetadata, [slot.id]: after },
      event: null,
      sequence: await deps.heads.nextSequence(owner, id),
      updatedAt: isoTime(deps.clock.now()),
    }
  })
  return (await refreshCompleteness(deps, owner, id)) ?? (await loadSubmission(deps, owner, id))
}
