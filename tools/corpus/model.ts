// What a row of the corpus says: how a file is made, where it is handed in, and what ought to become of it. Expectations
// are written down before the file is judged for the first time, from what a fair and careful person would decide.

import type { Measured, Rendition, Severity } from '../../src/records/upload-record.ts'
import type { RuleCode } from '../../src/submissions/rules/codes.ts'
import type { Corpus } from '../../test/support/media/corpus.ts'
import type { Bait } from '../../test/support/media/hostile-videos.ts'

export const GROUPS = [
  'recordings',
  'damaged',
  'claims',
  'signals',
  'pdf',
  'disguises',
  'together',
  'hostile',
  'limits',
] as const
export type Group = (typeof GROUPS)[number]

/** Makes the file and gives its absolute path. */
export type Make = (corpus: Corpus, bait: Bait) => Promise<string>

export type ExpectedRendition = {
  state: Rendition['state']
  width?: number
  height?: number
  seconds?: number
  framesPerSecond?: number
  pixelFormat?: string
  /** Channels of the sound; null: there is none. */
  channels?: number | null
  reason?: string
}

export type Expected = {
  /** `accepted`: where only the verdict is asked for, no rendition. */
  state: 'ready' | 'accepted' | 'rejected'
  /** All problems that may come up, and no others. */
  problems: Partial<Record<RuleCode, Severity>>
  measured: Partial<Omit<Measured, 'durationSeconds'>>
  /** The duration that limits apply to. */
  seconds?: number
  /** By how much it may differ; default 0.25. */
  within?: number
  /** By name; those that are not named must be ready. A rejected file has none. */
  renditions?: Record<string, ExpectedRendition>
}

/** Seconds of all three lanes together; peaks of one tool's resident memory and of this process's growth. */
export type Bounds = { seconds: number; toolMebibytes: number; ownMebibytes: number }
export const BOUNDS: Bounds = { seconds: 60, toolMebibytes: 640, ownMebibytes: 192 }

export type Row = {
  /** Unique, in words with hyphens. */
  name: string
  group: Group
  /** What it is, how it is made, and what the trap is. */
  about: string
  /** Profile and slot: `teacher.K4@1 inspiration_video`. */
  place: Place
  make: Make
  /** Files that are accepted in the same submission before this one comes. */
  before?: readonly { slot: string; make: Make }[]
  /** What the lesson plan says, in minutes. */
  plannedMinutes?: number
  /** Only the verdict: for files that would take long to encode or to read. */
  verdictOnly?: true
  /** Tools run without the fence of the network, so that their own options have to hold alone. */
  unfenced?: true
  bounds?: Partial<Bounds>
  /** The same file in other slots with the same rule: by its measurements, as a changed profile is judged. */
  also?: Also
  /** Words in the original that must not be found in anything that is shown to others. */
  secrets?: readonly string[]
  expect: Expected
}

export type Also = {
  code: RuleCode
  /** Whether the file breaks the rule. */
  breaks: boolean
  places: readonly Place[]
}

export type Place = { profile: string; slot: string }

/** What became of a file. */
export type Got = {
  state: string
  problems: Partial<Record<string, Severity>>
  measured: Measured | null
  seconds: number | undefined
  renditions: readonly GotRendition[]
  /** What the record says of faults of ours. */
  error: string | null
}

export type GotRendition = Pick<Rendition, 'name' | 'kind' | 'state' | 'reason' | 'width' | 'height'> & {
  /** By an independent look at the published file; absent where there is none. */
  look?: Look
}

/** A published rendition as a stranger sees it. */
export type Look = {
  videoCodec: string | null
  pixelFormat: string | null
  width: number
  height: number
  rotation: number
  framesPerSecond: number | null
  audioCodec: string | null
  channels: number | null
  seconds: number | null
  /** Streams besides one picture and one sound. */
  otherStreams: number
  indexFirst: boolean
  /** Complaints of a whole decode. */
  decodeErrors: number
  /** Tags beyond those that every muxer writes. */
  strayTags: string[]
  /** The row's secrets that were found in the bytes. */
  secrets: string[]
}

export type Cost = { seconds: number; toolMebibytes: number; ownMebibytes: number; tool: string | null }

export type Result = {
  row: Row
  got: Got | null
  cost: Cost
  /** Everything in which it differs from what was expected; empty: as expected. */
  faults: string[]
}
