// What is to be made of an accepted upload so that people can look at it: the slot's renditions for its kind.

import type { Measured, Rendition } from '../records/upload-record.ts'
import type { SlotRules } from './profiles/profile.ts'
import { containerVerdict } from './rules/judge.ts'

/**
 * The renditions of a newly accepted upload, all waiting. Where the container is not one to keep (a phone's MOV), the
 * MP4 is the `deliverable`: it stands for the upload.
 */
export function plannedRenditions(slot: SlotRules, measured: Measured): Rendition[] {
  const media = slot.media.find(({ kind }) => kind === measured.kind)
  if (media === undefined) return []
  const converted = containerVerdict(media, measured.container) === 'converted'
  return media.renditions.map(({ name, kind, required }) => ({
    ...{ name, kind, required, state: 'waiting' },
    ...(converted && kind === 'mp4' ? { deliverable: true } : {}),
  }))
}
