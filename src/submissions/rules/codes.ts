// The codes of everything that can be wrong with a file, and how grave each is unless a profile says otherwise.
// Codes never change their meaning; severities belong to the profile, words to texts.ts.

/** `off`: not looked at. `advise`: for the reader of the submission, the uploader has nothing to do. */
export type RuleSeverity = 'reject' | 'warn' | 'advise' | 'off'

/** Rules on one file. The `validate` lane can know all but those of {@link INSPECTION_CODES}. */
export const DEFAULT_SEVERITIES = {
  UPLOAD_EMPTY: 'reject',
  UPLOAD_TOO_LARGE: 'reject',
  TYPE_MISMATCH: 'reject',
  CONTAINER_NOT_ALLOWED: 'reject',
  CONTAINER_CONVERTED: 'warn',
  INCOMPLETE_FILE: 'reject',
  KIND_LIMIT_EXCEEDED: 'reject',

  // Nothing tells how long the recording should have been: what is there counts, and its length is said.
  RECORDING_CUT_OFF: 'warn',
  RECORDING_HAS_GAPS: 'warn',
  // A limit of ours says nothing about the file.
  VIDEO_UNCHECKED: 'warn',
  NO_VIDEO: 'reject',
  NO_AUDIO: 'reject',
  DURATION_EXCEEDED: 'reject',
  DURATION_TOO_SHORT: 'reject',
  DURATION_SHORT: 'warn',
  // The longer reading is judged, so a forged header gains nothing; the reader should still know.
  DURATION_INCONSISTENT: 'warn',
  CODEC_UNCOMMON: 'warn',
  LOW_RESOLUTION: 'warn',
  FRAME_RATE_HIGH: 'warn',
  PORTRAIT: 'warn',
  // Nearly every phone writes the index last, and a watchable copy is made anyway: nothing to bother the uploader with.
  NOT_STREAMABLE: 'advise',
  MULTI_AUDIO: 'advise',

  PDF_DAMAGED: 'reject',
  PDF_TOO_COMPLEX: 'reject',
  // Every viewer shows the page; the uploader should look whether all of it is there.
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

/** What a slot of the submission document can say besides what its files say. */
export type SlotCode = 'SLOT_OVERFULL' | 'STORED_TOO_LATE' | 'METADATA_MISSING'

export type ProblemCode = RuleCode | SlotCode

/** Known only after reading the whole file, or by comparing files: the `inspect` lane's. */
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

/** Rejections that `inspect` may make where a profile says nothing: what no reader could use, or must not open. */
export const DEFAULT_INSPECTION_REJECTS: readonly RuleCode[] = [
  'INCOMPLETE_FILE',
  'VIDEO_UNDECODABLE',
  'BLACK_VIDEO_ENTIRE',
  'DUPLICATE_IN_SUBMISSION',
  'MALWARE',
]
