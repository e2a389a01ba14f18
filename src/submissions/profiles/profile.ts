// The enforced view of a profile: values that are not verified well enough are
// absent, so that rules need not check the verification.

import type { Bilingual } from '../../core/errors.ts'
import type { MediaKind } from '../../core/identify.ts'
import { DEFAULT_INSPECTION_REJECTS, DEFAULT_SEVERITIES, type RuleCode, type RuleSeverity } from '../rules/codes.ts'
import { isMerged, type MediaRules, mediaRules, mergedMedia } from './media.ts'
import type { MetadataField, ProfileData, SlotData } from './schema.ts'
import { isEnforced } from './verification.ts'

export type SlotRules = {
  id: string
  label: Bilingual
  shortLabel: Bilingual
  domain: string
  min: number
  max: number
  maxPerKind: Partial<Record<MediaKind, number>>
  media: readonly MediaRules[]
  metadata: readonly MetadataField[]
  plannedTime?: { slot: string; field: string; toleranceSeconds: number }
  severities: Readonly<Record<RuleCode, RuleSeverity>>
  inspectionRejects: readonly RuleCode[]
}

/** All slots of one branch must be filled; at least two branches. */
export type Alternatives = { id: string; anyOf: readonly (readonly string[])[] }

export type Profile = {
  /** `teacher.K4@1` */
  key: string
  id: string
  version: number
  enabled: boolean
  /** Of a submission whose portal does not say. */
  sealAtDeadline: boolean
  domains: readonly { id: string; label: Bilingual }[]
  /** Enabled slots, in the order of the file. */
  slots: readonly SlotRules[]
  alternatives: readonly Alternatives[]
  /** The complete file, including values that are not enforced, as in `GET /v1/profiles/:id`. */
  data: ProfileData
}

export function profileKey(id: string, version: number): string {
  return `${id}@${version}`
}

/**
 * The enforced view of a data file.
 *
 * Counts always apply: they define the slot, and without them an
 * empty submission would be complete. Other unverified values are omitted.
 */
export function profileOf(data: ProfileData): Profile {
  const slots = data.slots.filter((slot) => slot.enabled !== false).map((slot) => slotRules(data, slot))
  const known = new Set(slots.map((slot) => slot.id))
  return {
    key: profileKey(data.id, data.version),
    id: data.id,
    version: data.version,
    enabled: data.enabled,
    sealAtDeadline: data.sealAtDeadline ?? false,
    domains: data.domains.map(({ id, label }) => ({ id, label })),
    slots,
    alternatives: (data.alternatives ?? [])
      .filter((group) => isEnforced(group.verification))
      .map(({ id, anyOf }) => ({ id, anyOf: anyOf.filter((branch) => branch.every((s) => known.has(s))) }))
      // A single branch is no alternative: its slots are required.
      .filter((group) => group.anyOf.length > 1),
    data,
  }
}

function slotRules(data: ProfileData, slot: SlotData): SlotRules {
  const planned = slot.plannedTime
  return {
    id: slot.id,
    label: slot.label,
    shortLabel: slot.shortLabel ?? slot.label,
    domain: slot.domain,
    min: slot.min,
    max: slot.max,
    maxPerKind: isEnforced(slot.verification?.maxPerKind) ? { ...slot.maxPerKind } : {},
    media: slot.media
      .map((own) => mergedMedia(data, own))
      .filter(isMerged)
      .map(mediaRules),
    metadata: slot.metadata ?? [],
    ...(planned && isEnforced(planned.verification)
      ? {
          plannedTime: {
            slot: planned.slot,
            field: planned.field,
            toleranceSeconds: planned.toleranceSeconds,
          },
        }
      : {}),
    severities: { ...DEFAULT_SEVERITIES, ...data.severities, ...slot.severities },
    inspectionRejects: data.inspectionRejects ?? DEFAULT_INSPECTION_REJECTS,
  }
}

/** The slot's rules, or undefined if the profile has no such enabled slot. */
export function findSlot(profile: Profile, slotId: string): SlotRules | undefined {
  return profile.slots.find((slot) => slot.id === slotId)
}
