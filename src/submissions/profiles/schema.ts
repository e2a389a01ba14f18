// The schema of a profile file: the requirements for one position and rank, as versioned data.
// A file must not change after submissions pin it; a changed rule needs a new version.

import Type, { type Static } from 'typebox'
import { RULE_CODES, type RuleCode, type RuleSeverity } from '../rules/codes.ts'
import { VERIFICATION_WORDS, type VerificationWord } from './verification.ts'

/**
 * `OPEN_ACTION`, `PAGE_ACTION`: an action when the file or a page is opened, mostly "fit the page"; the action itself is
 * reported too. `REMOTE_GOTO`: a link into another file. `FIELD_SCRIPT`: a call of Acrobat's built-in functions
 * for form fields (`AFNumber_Format`, `AFDate_FormatEx`, `AFSimple_Calculate`…) and nothing else; any other
 * script is `JAVASCRIPT`.
 */
export const ACTIVE_CONTENT = [
  'OPEN_ACTION',
  'PAGE_ACTION',
  'REMOTE_GOTO',
  'FIELD_SCRIPT',
  'JAVASCRIPT',
  'LAUNCH',
  'EMBEDDED_FILE',
  'RICH_MEDIA',
  'XFA',
  'SUBMIT_FORM',
  'IMPORT_DATA',
] as const
export type ActiveContent = (typeof ACTIVE_CONTENT)[number]

const closed = { additionalProperties: false } as const
const Text = Type.String({ minLength: 1 })
const Id = Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' })
const Word = Type.Enum([...VERIFICATION_WORDS])
/** A verification word per field; a misspelt name is an error, since it would make an unverified value enforced. */
const wordsFor = <Name extends string>(...names: Name[]) =>
  Type.Unsafe<Partial<Record<Name, VerificationWord>>>(
    Type.Object(Object.fromEntries(names.map((name) => [name, Type.Optional(Word)])), closed),
  )
const Count = Type.Integer({ minimum: 0 })
const Positive = Type.Number({ exclusiveMinimum: 0 })
const Lowercase = Type.Array(Type.String({ pattern: '^[a-z0-9.+/-]+$' }), { minItems: 1, uniqueItems: true })

export const BilingualSchema = Type.Object({ th: Text, en: Text }, closed)

const Severity = Type.Unsafe<RuleSeverity>(Type.Enum(['reject', 'warn', 'advise', 'off']))

/** Partial: missing codes have the default severity of codes.ts. */
const Severities = Type.Unsafe<Partial<Record<RuleCode, RuleSeverity>>>(
  Type.Object(Object.fromEntries(RULE_CODES.map((code) => [code, Type.Optional(Severity)])), closed),
)

export const RenditionRuleSchema = Type.Object(
  {
    name: Id,
    kind: Type.Enum(['mp4', 'poster', 'page']),
    /** False: the upload becomes ready even if it fails. */
    required: Type.Boolean(),
    /** Made only when workers are idle. */
    later: Type.Optional(Type.Boolean()),
    /** Limit of the shorter side, the same for portrait and landscape. */
    maxShortSidePixels: Type.Optional(Type.Integer({ minimum: 16 })),
    maxFramesPerSecond: Type.Optional(Positive),
    videoBitsPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
    audioBitsPerSecond: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
)

/** Everything except `kind` can be in `mediaDefaults` instead; a slot's value wins, with its own verification word. */
export const MediaSchema = Type.Object(
  {
    kind: Type.Enum(['video', 'pdf', 'image', 'audio']),
    /** Names of core/identify.ts. */
    containers: Type.Optional(Lowercase),
    /** Accepted with CONTAINER_CONVERTED and converted to MP4. */
    remediableContainers: Type.Optional(Lowercase),
    extensions: Type.Optional(Lowercase),
    mimeTypes: Type.Optional(Lowercase),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Advice for the page; not enforced. */
    recommendedMaxBytes: Type.Optional(Type.Integer({ minimum: 1 })),
    maxDurationSeconds: Type.Optional(Positive),
    minDurationSeconds: Type.Optional(Positive),
    /** Shorter than this is unusual: DURATION_SHORT. */
    advisedMinDurationSeconds: Type.Optional(Positive),
    /** A camera stopped at 60:00 writes 3600.02 s. */
    durationToleranceSeconds: Type.Optional(Type.Number({ minimum: 0 })),
    videoCodecs: Type.Optional(Lowercase),
    audioCodecs: Type.Optional(Lowercase),
    minShortSidePixels: Type.Optional(Type.Integer({ minimum: 1 })),
    recommendedShortSidePixels: Type.Optional(Type.Integer({ minimum: 1 })),
    maxFramesPerSecond: Type.Optional(Positive),
    recommendedFramesPerSecond: Type.Optional(Positive),
    maxPages: Type.Optional(Type.Integer({ minimum: 1 })),
    minPages: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Accepted active content of PDFs; all other is PDF_ACTIVE_CONTENT. */
    acceptedActiveContent: Type.Optional(Type.Array(Type.Enum([...ACTIVE_CONTENT]), { uniqueItems: true })),
    renditions: Type.Optional(Type.Array(RenditionRuleSchema)),
    verification: Type.Optional(
      wordsFor(
        'containers',
        'maxBytes',
        'recommendedMaxBytes',
        'maxDurationSeconds',
        'minDurationSeconds',
        'advisedMinDurationSeconds',
        'durationToleranceSeconds',
        'videoCodecs',
        'audioCodecs',
        'minShortSidePixels',
        'recommendedShortSidePixels',
        'maxFramesPerSecond',
        'recommendedFramesPerSecond',
        'maxPages',
        'minPages',
        'acceptedActiveContent',
      ),
    ),
  },
  closed,
)

const MediaDefault = Type.Omit(MediaSchema, ['kind'], closed)

export const MetadataFieldSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][A-Za-z0-9]{0,63}$' }),
    label: BilingualSchema,
    type: Type.Enum(['string', 'integer', 'number', 'boolean']),
    required: Type.Boolean(),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    maxLength: Type.Optional(Type.Integer({ minimum: 1 })),
    options: Type.Optional(Type.Array(Text, { minItems: 1, uniqueItems: true })),
    verification: Type.Optional(Word),
  },
  closed,
)

export const SlotSchema = Type.Object(
  {
    id: Id,
    label: BilingualSchema,
    /** The name of the file in sentences: "วีดิทัศน์การสอน", "The teaching video". */
    shortLabel: Type.Optional(BilingualSchema),
    domain: Id,
    /** False: ignored. */
    enabled: Type.Optional(Type.Boolean()),
    min: Count,
    max: Type.Integer({ minimum: 1 }),
    maxPerKind: Type.Optional(
      Type.Object(
        {
          video: Type.Optional(Type.Integer({ minimum: 1 })),
          pdf: Type.Optional(Type.Integer({ minimum: 1 })),
          image: Type.Optional(Type.Integer({ minimum: 1 })),
          audio: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        closed,
      ),
    ),
    media: Type.Array(MediaSchema, { minItems: 1 }),
    metadata: Type.Optional(Type.Array(MetadataFieldSchema)),
    /** The duration should equal a metadata field of another slot (minutes). */
    plannedTime: Type.Optional(
      Type.Object({ slot: Id, field: Text, toleranceSeconds: Positive, verification: Type.Optional(Word) }, closed),
    ),
    severities: Type.Optional(Severities),
    /** Rules for assessors: shown, never enforced. */
    guidance: Type.Optional(Type.Array(Type.Object({ id: Id, text: BilingualSchema, verification: Word }, closed))),
    /** `count` is for min and max together. */
    verification: Type.Optional(wordsFor('count', 'maxPerKind')),
    note: Type.Optional(Type.String()),
  },
  closed,
)

/** One of several sets of slots is enough; these slots are not required by themselves. */
export const AlternativesSchema = Type.Object(
  {
    id: Id,
    anyOf: Type.Array(Type.Array(Id, { minItems: 1, uniqueItems: true }), { minItems: 2 }),
    verification: Type.Optional(Word),
    note: Type.Optional(Type.String()),
  },
  closed,
)

export const ProfileDataSchema = Type.Object(
  {
    schema: Type.Literal(1),
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
    version: Type.Integer({ minimum: 1 }),
    /** False: listed, but no submission can pin it. */
    enabled: Type.Boolean(),
    position: Type.Object({ id: Id, label: BilingualSchema }, closed),
    rank: Type.Object({ code: Text, label: BilingualSchema }, closed),
    circular: Type.Optional(Text),
    note: Type.Optional(Type.String()),
    /** For submissions whose portal does not say: sealed by themselves when their time is over and they are complete. */
    sealAtDeadline: Type.Optional(Type.Boolean()),
    domains: Type.Array(
      Type.Object(
        {
          id: Id,
          label: BilingualSchema,
          passPercentEachEvaluator: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
          verification: Type.Optional(wordsFor('label', 'passPercentEachEvaluator')),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    mediaDefaults: Type.Optional(
      Type.Object(
        {
          video: Type.Optional(MediaDefault),
          pdf: Type.Optional(MediaDefault),
          image: Type.Optional(MediaDefault),
          audio: Type.Optional(MediaDefault),
        },
        closed,
      ),
    ),
    slots: Type.Array(SlotSchema, { minItems: 1 }),
    alternatives: Type.Optional(Type.Array(AlternativesSchema)),
    severities: Type.Optional(Severities),
    /** Codes for which inspection may reject, before a seal. */
    inspectionRejects: Type.Optional(
      Type.Unsafe<RuleCode[]>(Type.Array(Type.Enum([...RULE_CODES]), { uniqueItems: true })),
    ),
  },
  closed,
)

export type ProfileData = Static<typeof ProfileDataSchema>
export type SlotData = Static<typeof SlotSchema>
export type MediaData = Static<typeof MediaSchema>
export type RenditionRule = Static<typeof RenditionRuleSchema>
export type MetadataField = Static<typeof MetadataFieldSchema>
