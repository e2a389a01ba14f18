// The parameters of the text of each code: name of the file, limit, measured value.

import type { Bilingual } from '../../core/errors.ts'
import type { MediaKind } from '../../core/identify.ts'
import type { Gap } from '../../records/upload-record.ts'
import type { ProblemCode } from './codes.ts'

/** `name`: the name of the file in sentences, e.g. วีดิทัศน์การสอน / teaching video. */
export type Named = { name: Bilingual }
/** `limit` and `actual` are members of the problem; units depend on the code (seconds, bytes, pages, pixels, percent). */
export type Measure = Named & { limit: number; actual: number }
export type Choice = Named & { limit: string[]; actual: string }

/** The parameters by code. */
export type ProblemFacts = {
  UPLOAD_EMPTY: Named
  UPLOAD_TOO_LARGE: Measure
  TYPE_MISMATCH: Named & { limit: MediaKind[]; actual: string; kind: MediaKind }
  CONTAINER_NOT_ALLOWED: Choice
  CONTAINER_CONVERTED: Choice
  INCOMPLETE_FILE: Named
  KIND_LIMIT_EXCEEDED: Measure & { kind: MediaKind }
  DUPLICATE_IN_SUBMISSION: Named & { other: Bilingual; actual: string }
  MALWARE: Named & { actual: string }

  /** actual: readable seconds. */
  RECORDING_CUT_OFF: Named & { actual: number }
  /** actual: seconds that are missing in all; the longest of the holes, in order. */
  RECORDING_HAS_GAPS: Named & { actual: number; gaps: readonly Gap[]; more: number }
  VIDEO_UNCHECKED: Named
  NO_VIDEO: Named
  NO_AUDIO: Named
  DURATION_EXCEEDED: Measure
  DURATION_TOO_SHORT: Measure
  DURATION_SHORT: Measure
  /** limit and actual: allowed and found difference in seconds. */
  DURATION_INCONSISTENT: Measure & { claimedSeconds: number; judgedSeconds: number }
  /** unknown: cannot be decoded, so there is no rendition of the picture, or none with sound. */
  CODEC_UNCOMMON: Choice & { unknown?: 'picture' | 'sound' }
  LOW_RESOLUTION: Measure
  FRAME_RATE_HIGH: Measure
  PORTRAIT: Named & { actual: string }
  NOT_STREAMABLE: Named
  MULTI_AUDIO: Measure
  VIDEO_UNDECODABLE: Named
  /** actual: the codec. */
  AUDIO_UNDECODABLE: Named & { actual: string }
  SILENT_AUDIO: Named
  BLACK_VIDEO: Measure
  BLACK_VIDEO_ENTIRE: Measure
  FROZEN_VIDEO: Measure
  AV_LENGTH_MISMATCH: Measure & { videoSeconds: number; audioSeconds: number }
  PLAN_TIME_MISMATCH: Measure

  /** actual: page numbers that cannot be drawn; absent if the whole file is damaged. */
  PDF_DAMAGED: Named & { actual?: string }
  PDF_TOO_COMPLEX: Named
  /** actual: numbers of pages. */
  PDF_FLAWED: Named & { actual: string }
  PDF_UNCHECKED: Named
  PDF_PASSWORD: Named
  PDF_RESTRICTED: Named
  PDF_TOO_MANY_PAGES: Measure
  PDF_TOO_FEW_PAGES: Measure
  PDF_ACTIVE_CONTENT: Named & { actual: string }

  SLOT_OVERFULL: Measure & { kind: MediaKind | null }
  STORED_TOO_LATE: Named & { limit: string; actual: string }
  METADATA_MISSING: Named & { actual: string; field: Bilingual }

  /** actual: the other submission. */
  DUPLICATE_ELSEWHERE: Named & { actual: string }
}

export type Texts<Code extends ProblemCode> = { [C in Code]: (facts: ProblemFacts[C]) => Bilingual }
