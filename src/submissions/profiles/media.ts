// The rules of one slot for one kind of file: the profile's defaults overridden by the slot's values,
// without values that are not verified well enough.

import type { MediaKind } from '../../core/identify.ts'
import type { ActiveContent, MediaData, ProfileData, RenditionRule } from './schema.ts'
import { isEnforced } from './verification.ts'

export const DEFAULT_DURATION_TOLERANCE_SECONDS = 1
/** Active content that word processors and form editors add by default. */
export const DEFAULT_ACCEPTED_ACTIVE_CONTENT: readonly ActiveContent[] = [
  'OPEN_ACTION',
  'PAGE_ACTION',
  'REMOTE_GOTO',
  'FIELD_SCRIPT',
]

export type MediaRules = {
  kind: Exclude<MediaKind, 'other'>
  containers: readonly string[]
  remediableContainers: readonly string[]
  /** For containers in neither list. `convert` if the list is not verified well enough. */
  otherContainers: 'reject' | 'convert'
  /** Lower case, without a dot. */
  extensions: readonly string[]
  mimeTypes: readonly string[]
  maxBytes: number
  recommendedMaxBytes?: number
  maxDurationSeconds?: number
  minDurationSeconds?: number
  advisedMinDurationSeconds?: number
  durationToleranceSeconds: number
  videoCodecs?: readonly string[]
  audioCodecs?: readonly string[]
  minShortSidePixels?: number
  maxFramesPerSecond?: number
  maxPages?: number
  minPages?: number
  /** Accepted active content of PDFs. */
  acceptedActiveContent: readonly string[]
  renditions: readonly RenditionRule[]
}

/** Fields that the slot or the profile's defaults must have. */
export const NEEDED_FIELDS = ['containers', 'extensions', 'mimeTypes', 'maxBytes', 'renditions'] as const

type NeededField = (typeof NEEDED_FIELDS)[number]
export type MergedMedia = MediaData & Required<Pick<MediaData, NeededField>>

/** Limits that apply only with an enforced verification word. */
const LIMITS = [
  'recommendedMaxBytes',
  'maxDurationSeconds',
  'minDurationSeconds',
  'advisedMinDurationSeconds',
  'videoCodecs',
  'audioCodecs',
  'minShortSidePixels',
  'maxFramesPerSecond',
  'maxPages',
  'minPages',
] as const satisfies readonly (keyof MediaData & keyof MediaRules)[]

/** The slot's values over the defaults. The slot's values have their own verification words. */
export function mergedMedia(profile: ProfileData, own: MediaData): MediaData {
  const { verification: defaultWords = {}, ...defaults } = profile.mediaDefaults?.[own.kind] ?? {}
  const inherited = Object.entries(defaultWords).filter(([field]) => !(field in own))
  return { ...defaults, ...own, verification: { ...Object.fromEntries(inherited), ...own.verification } }
}

export function isMerged(media: MediaData): media is MergedMedia {
  return NEEDED_FIELDS.every((field) => media[field] !== undefined)
}

/** The enforced view of one kind of file. */
export function mediaRules(media: MergedMedia): MediaRules {
  const enforced = (field: keyof NonNullable<MediaData['verification']>) => isEnforced(media.verification?.[field])
  const limits: Partial<Pick<MediaRules, (typeof LIMITS)[number]>> = Object.fromEntries(
    LIMITS.filter((field) => media[field] !== undefined && enforced(field)).map((field) => [field, media[field]]),
  )
  return {
    kind: media.kind,
    containers: media.containers,
    remediableContainers: media.remediableContainers ?? [],
    otherContainers: enforced('containers') ? 'reject' : 'convert',
    extensions: media.extensions,
    mimeTypes: media.mimeTypes,
    maxBytes: enforced('maxBytes') ? media.maxBytes : Number.MAX_SAFE_INTEGER,
    durationToleranceSeconds: media.durationToleranceSeconds ?? DEFAULT_DURATION_TOLERANCE_SECONDS,
    acceptedActiveContent:
      (enforced('acceptedActiveContent') && media.acceptedActiveContent) || DEFAULT_ACCEPTED_ACTIVE_CONTENT,
    renditions: media.renditions,
    ...limits,
  }
}
