// Which renditions an accepted file gets, as data: what the slot asks for, the required ones first.

import type { Measured, Rendition } from '../../src/records/upload-record.ts'
import type { SlotRules } from '../../src/submissions/profiles/profile.ts'
import type { RenditionRule } from '../../src/submissions/profiles/schema.ts'

/** @param converted the container is not kept: the first MP4 stands for the upload */
export function planRenditions(slot: SlotRules, measured: Measured, converted: boolean): Rendition[] {
  const rules = slot.media.find(({ kind }) => kind === measured.kind)?.renditions ?? []
  const ordered = rules.toSorted((a, b) => rank(a) - rank(b))
  const deliverable = converted ? ordered.find(({ kind }) => kind === 'mp4')?.name : undefined
  return ordered.map(({ name, kind, required }) => ({
    ...{ name, kind, required, state: 'waiting' as const },
    ...(name === deliverable ? { deliverable: true } : {}),
  }))
}

function rank({ required, later }: RenditionRule): number {
  if (later === true) return 2
  return required ? 0 : 1
}

/** The rule behind a planned rendition; a profile that was exchanged meanwhile may not have it any more. */
export function ruleOf(
  slot: SlotRules,
  measured: Measured,
  { name, kind, required }: Rendition,
): RenditionRule {
  const rules = slot.media.find((media) => media.kind === measured.kind)?.renditions ?? []
  return rules.find((rule) => rule.name === name) ?? { name, kind, required }
}
