// The renditions to make of an accepted upload, by the rules of its slot and kind.

import type { Measured, Rendition } from '../records/upload-record.ts'
import type { SlotRules } from './profiles/profile.ts'
import type { RenditionRule } from './profiles/schema.ts'
import { containerVerdict } from './rules/judge.ts'

/**
 * The renditions of a newly accepted upload, all waiting, the required ones first. If the container is converted
 * (MOV of phones), the first MP4 is the `deliverable`.
 */
export function plannedRenditions(slot: SlotRules, measured: Measured): Rendition[] {
  const media = slot.media.find(({ kind }) => kind === measured.kind)
  if (media === undefined) return []
  const ordered = media.renditions.toSorted((a, b) => rank(a) - rank(b))
  const converted = containerVerdict(media, measured.container) === 'converted'
  const deliverable = converted ? ordered.find(({ kind }) => kind === 'mp4')?.name : undefined
  return ordered.map(({ name, kind, required }) => {
    const rendition: Rendition = { name, kind, required, state: 'waiting' }
    return name === deliverable ? { ...rendition, deliverable: true } : rendition
  })
}

function rank({ required, later }: RenditionRule): number {
  if (later === true) return 2
  return required ? 0 : 1
}

/** The rule of a planned rendition; a changed profile may no longer have it. */
export function ruleOf(slot: SlotRules, measured: Measured, { name, kind, required }: Rendition): RenditionRule {
  const rules = slot.media.find((media) => media.kind === measured.kind)?.renditions ?? []
  return rules.find((rule) => rule.name === name) ?? { name, kind, required }
}
