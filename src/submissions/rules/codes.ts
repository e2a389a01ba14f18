// All problem codes, with their default severity.
// The meaning of codes never changes; profiles can change severities; texts are in texts.ts.

/** `off`: not checked. `advise`: for assessors, the uploader need not act. */
export type RuleSeverity = 'reject' | 'warn' | 'advise' | 'off'

/** Rules of one file. The `validate` lane checks all except {@link INSPECTION_CODES}. */
export const DEFAULT_SEVERITIES = {
  UPLOAD_EMPTY: 'reject',
  UPLOAD_TOO_LARGE: 'reject',
  TYPE_MISMATCH: 'reject',
  CONTAINER_NOT_ALLOWED: 'reject',
  CONTAINER_CONVERTED: 'warn',
  INCOMPLETE_FILE: 'reject',
  KIND_LIMIT_EXCEEDED: 'reject',

  // The intended length is unknown: the readable part counts, and its length is reported.
  RECORDING_CUT_OFF: 'warn',
  RECORDING_HAS_GAPS: 'warn',
  // A limit of the service is no error of the file.
  VIDEO_UNCHECKED: 'warn',
  NO_VIDEO: 'reject',
  NO_AUDIO: 'reject',
  DURATION_EXCEEDED: 'reject',
  DURATION_TOO_SHORT: 'reject',
  DURATION_SHORT: 'warn',
  // The longer value is judged, so a forged header has no effect; readers should still know.
  DURATION_INCONSISTENT: 'warn',
  CODEC_UNCOMMON: 'warn',
  LOW_RESOLUTION: 'warn',
  FRAME_RATE_HIGH: 'warn',
  PORTRAIT: 'warn',
  // Nearly all phones write the index last, and a rendition is made anyway.
  NOT_STREAMABLE: 'advise',
  MULTI_AUDIO: 'advise',

  PDF_DAMAGED: 'reject',
  PDF_TOO_COMPLEX: 'reject',
  // Viewers show the page; the uploader should check that it is complete.
  PDF_FLAWED: 'warn',
  PDF_UNCHECKED: 'warn',
  PDF_PASSWORD: 'reject',
  PDF_RESTRICTED: 'advise',
  PDF_TOO_MANY_PAGES: 'reject',
  PDF_TOO_FEW_PAGES: 'reject',
  PDF_ACTIVE_CONTENT: 'reject',

  VIDEO_UNDECODABLE: 'reject',
  // The picture can be watched: what is missing is said, and a copy without sound is made.
  AUDIO_UNDECODABLE: 'warn',
  SILENT_AUDIO: 'warn',
  BLACK_VIDEO: 'warn',
  BLACK_VIDEO_ENTIRE: 'reject',
  FROZEN_VIDEO: 'warn',
  AV_LENGTH_MISMATCH: 'warn',
  PLAN_TIME_MISMATCH: 'warn',
  DUPLICATE_IN_SUBMISSION: 'reject',
  MALWARE: 'reject',
} as const satisfies Record<string, RuleSeverity>

export type RuleCode = keyof typeof DEFAULT_SEVERITIES

export const RULE_CODES = Object.keys(DEFAULT_SEVERITIES) as RuleCode[]

/** Problem codes of slots. */
export type SlotCode = 'SLOT_OVERFULL' | 'STORED_TOO_LATE' | 'METADATA_MISSING'

/** Problem codes that only reviewers and operators see: see review.ts. */
export type ReviewCode = 'DUPLICATE_ELSEWHERE'

export type ProblemCode = RuleCode | SlotCode | ReviewCode

/** Codes of the `inspect` lane: known only after reading the whole file, or by comparing files. */
export const INSPECTION_CODES = [
  'RECORDING_HAS_GAPS',
  'VIDEO_UNDECODABLE',
  'AUDIO_UNDECODABLE',
  'SILENT_AUDIO',
  'BLACK_VIDEO',
  'BLACK_VIDEO_ENTIRE',
  'FROZEN_VIDEO',
  'AV_LENGTH_MISMATCH',
  'PLAN_TIME_MISMATCH',
  'DUPLICATE_IN_SUBMISSION',
  'MALWARE',
] as const satisfies readonly RuleCode[]

/** Default codes for which `inspect` may reject: unusable or dangerous files. */
export const DEFAULT_INSPECTION_REJECTS: readonly RuleCode[] = [
  'INCOMPLETE_FILE',
  'VIDEO_UNDECODABLE',
  'BLACK_VIDEO_ENTIRE',
  'DUPLICATE_IN_SUBMISSION',
  'MALWARE',
]
