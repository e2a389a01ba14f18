// The missing slots of a submission. Slots are required by themselves, or in one of several alternative branches.

import type { SubmissionHead } from '../../records/submission-head.ts'
import type { Profile, SlotRules } from '../profiles/profile.ts'
import { missingMetadata } from '../rules/metadata.ts'
import type { SlotCount } from './counting.ts'
import { asksForMetadata } from './slot-document.ts'

export type Completeness = {
  complete: boolean
  /** Slots to act on: with them, and with good pending verdicts, the submission is complete. */
  missing: string[]
  /** Slots with a pending verdict, even if an older file counts meanwhile. */
  pending: string[]
}

export function completeness(
  profile: Profile,
  counts: ReadonlyMap<string, SlotCount>,
  head: Pick<SubmissionHead, 'slotMetadata'>,
): Completeness {
  const slots = profile.slots.flatMap((slot) => {
    const count = counts.get(slot.id)
    return count ? [slotNeeds(profile, slot, count, head.slotMetadata[slot.id] ?? {})] : []
  })
  const byId = new Map(slots.map((slot) => [slot.id, slot]))
  const groups = profile.alternatives.map((group) => group.anyOf.map((ids) => branch(ids, byId)))
  const optional = new Set(profile.alternatives.flatMap((group) => group.anyOf.flat()))
  const plain = slots.filter((slot) => !optional.has(slot.id))

  const lacking = new Set([
    ...plain.filter((slot) => !slot.expected).map((slot) => slot.id),
    ...groups.flatMap(lackingOfGroup),
  ])
  return {
    complete: plain.every((slot) => slot.satisfied) && groups.every((g) => g.some((b) => b.satisfied)),
    missing: slots.map((slot) => slot.id).filter((id) => lacking.has(id)),
    pending: slots.filter((slot) => slot.pending).map((slot) => slot.id),
  }
}

type Needs = { id: string; satisfied: boolean; expected: boolean; pending: boolean; begun: boolean }
type Branch = { satisfied: boolean; expected: boolean; lacking: string[]; begun: number }

function slotNeeds(profile: Profile, slot: SlotRules, count: SlotCount, metadata: Record<string, unknown>): Needs {
  const inGroup = profile.alternatives.some((group) => group.anyOf.flat().includes(slot.id))
  // In an alternative branch every slot needs a file.
  const need = inGroup ? Math.max(slot.min, 1) : slot.min
  const told = !asksForMetadata(slot, count) || missingMetadata(slot, metadata).length === 0
  const counted = count.counted.length
  const pending = count.checking.length
  return {
    id: slot.id,
    satisfied: told && counted >= need,
    expected: told && counted + pending >= need,
    pending: pending > 0,
    begun: counted + pending + count.receiving.length > 0,
  }
}

function branch(ids: readonly string[], slots: ReadonlyMap<string, Needs>): Branch {
  const needs = ids.flatMap((id) => slots.get(id) ?? [])
  return {
    satisfied: needs.every((slot) => slot.satisfied),
    expected: needs.every((slot) => slot.expected),
    lacking: needs.filter((slot) => !slot.expected).map((slot) => slot.id),
    begun: needs.filter((slot) => slot.begun).length,
  }
}

/** If no branch is complete, the one with most progress; else the first. */
function lackingOfGroup(branches: readonly Branch[]): string[] {
  if (branches.some((b) => b.expected)) return []
  return branches.toSorted((a, b) => b.begun - a.begun).at(0)?.lacking ?? []
}
