// What is to be made of an accepted upload so that people can look at it: the slot's renditions for its kind.

import type { Measured, Rendition } from '../records/upload-record.ts'
import type { SlotRules } from './profiles/profile.ts'
import type { RenditionRule } from './profiles/schema.ts'
import { containerVerdict } from './rules/judge.ts'

/**
 * The renditions of a newly accepted upload, all waiting, the required ones first. Where the container is not one to keep
 * (a phone's MOV), the first MP4 is the `deliverable`: it stands for the upload.
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

/** The rule behind a planned rendition; a profile that was exchanged meanwhile may not have it any more. */
export function ruleOf(slot: SlotRules, measured: Measured, { name, kind, required }: Rendition): RenditionRule {
  const rules = slot.media.find((media) => media.kind === measured.kind)?.renditions ?? []
  return rules.find((rule) => rule.name === name) ?? { name, kind, required }
}
