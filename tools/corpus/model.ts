// Types of a corpus row: how a file is made, where it is handed in, and the expected result. Expectations
// are written before the file is judged for the first time, from what a fair and careful person would decide.

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
  /** `accepted` for rows with `verdictOnly`, which make no rendition. */
  state: 'ready' | 'accepted' | 'rejected'
  /** All problems that must be found, and no others. */
  problems: Partial<Record<RuleCode, Severity>>
  measured: Partial<Omit<Measured, 'durationSeconds'>>
  /** The duration that limits apply to. */
  seconds?: number
  /** By how much it may differ; default 0.25. */
  within?: number
  /** By name; others must be ready. A rejected file has none. */
  renditions?: Record<string, ExpectedRendition>
}

/** Seconds of all three lanes together; peak resident memory of one tool; peak growth of this process. */
export type Bounds = { seconds: number; toolMebibytes: number; ownMebibytes: number }
export const BOUNDS: Bounds = { seconds: 60, toolMebibytes: 640, ownMebibytes: 192 }

export type Row = {
  /** Unique; words with hyphens. */
  name: string
  group: Group
  /** What the file is, and what makes it difficult. */
  about: string
  /** Profile and slot: `teacher.K4@1 inspiration_video`. */
  place: Place
  make: Make
  /** Files accepted in the same submission before this one. */
  before?: readonly { slot: string; make: Make }[]
  /** Minutes of the lesson plan. */
  plannedMinutes?: number
  /** Only the verdict: for files that would take long to encode or to read. */
  verdictOnly?: true
  /** Media tools run without isolation, so that their own options alone must keep them from the network. */
  unfenced?: true
  bounds?: Partial<Bounds>
  /** Other slots with the same rule: judged by the measurements, as after a change of the profile. */
  also?: Also
  /** Texts in the original that must not appear in anything published. */
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

/** The result for a file. */
export type Got = {
  state: string
  problems: Partial<Record<string, Severity>>
  measured: Measured | null
  seconds: number | undefined
  renditions: readonly GotRendition[]
  /** System error in the record. */
  error: string | null
}

export type GotRendition = Pick<Rendition, 'name' | 'kind' | 'state' | 'reason' | 'width' | 'height'> & {
  /** Independent check of the published file; absent if there is none. */
  look?: Look
}

/** A published rendition as standard tools see it. */
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
  /** Number of streams besides one video and one audio stream. */
  otherStreams: number
  indexFirst: boolean
  /** Errors of a complete decode. */
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
  /** Every difference from the expectation; empty: as expected. */
  errors: string[]
}
