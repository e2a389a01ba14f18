// Schemas of the two documents, for OpenAPI and serialization. Nullable members are written as type lists,
// which JSON Schema 2020-12 knows and the serializer handles without trying alternatives.

import Type, { type Static, type TProperties, type TSchema } from 'typebox'
import type { Bilingual } from '../../core/errors.ts'
import type { FileProblem, Measured, Rendition, UploadState } from '../../records/upload-record.ts'

const open = { additionalProperties: true } as const

const nullable = <Schema extends TSchema & { type: string }>(schema: Schema) =>
  Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })

/** @param title its name in the OpenAPI document */
const object = <Properties extends TProperties>(properties: Properties, title: string, description: string) =>
  Type.Object(properties, { title, description })

const Time = Type.String({ format: 'date-time' })
const Text = Type.String()
const Int = Type.Integer()
const Num = Type.Number()
const Flag = Type.Boolean()
const words = <const Words extends string[]>(...values: Words) => Type.Enum(values)

const BilingualText = Type.Unsafe<Bilingual>(Type.Object({ th: Text, en: Text }, { title: 'Bilingual' }))

const problemMembers = {
  code: Text,
  severity: words('reject', 'warn', 'advise'),
  message: BilingualText,
  limit: Type.Optional(
    Type.Unsafe<NonNullable<FileProblem['limit']>>({
      anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'array', items: { type: 'string' } }],
    }),
  ),
  actual: Type.Optional(
    Type.Unsafe<NonNullable<FileProblem['actual']>>({ anyOf: [{ type: 'number' }, { type: 'string' }] }),
  ),
}

export const FileProblemSchema = object(problemMembers, 'FileProblem', 'A broken rule or a remark')

export const SlotProblemSchema = object(
  { ...problemMembers, upload: Type.Optional(Text) },
  'SlotProblem',
  'A problem of a slot; `upload` if it is about one file',
)

const count = Type.Optional(Int)
const measure = Type.Optional(Num)
const name = Type.Optional(Text)

/** Open, so that new measurements need no change here. */
export const MeasuredSchema = Type.Unsafe<Measured | null>({
  ...Type.Object(
    {
      kind: words('video', 'pdf', 'image', 'audio', 'other'),
      container: Text,
      durationSeconds: measure,
      headerDurationSeconds: measure,
      editedDurationSeconds: measure,
      width: count,
      height: count,
      rotation: count,
      framesPerSecond: measure,
      videoCodec: name,
      audioCodec: name,
      audioChannels: count,
      pages: count,
      encrypted: Type.Optional(Flag),
    },
    open,
  ),
  type: ['object', 'null'],
})

export const CheckSchema = object(
  { name: Text, state: words('pending', 'passed', 'warned', 'failed') },
  'Check',
  'A check of the file',
)

export const RenditionSchema = Type.Unsafe<Omit<Rendition, 'key' | 'contentType'>>(
  object(
    {
      name: Text,
      kind: words('mp4', 'poster', 'page'),
      required: Flag,
      state: words('waiting', 'running', 'ready', 'skipped', 'failed'),
      deliverable: Type.Optional(Flag),
      reason: name,
      width: count,
      height: count,
      bytes: count,
      sha256: name,
      durationSeconds: measure,
    },
    'Rendition',
    'A rendition for viewing',
  ),
)

export const ProgressSchema = object(
  {
    step: words('receive', 'validate', 'inspect', 'transcode', 'done'),
    percent: nullable(Num),
    etaSeconds: nullable(Num),
    queuePosition: nullable(Int),
  },
  'Progress',
  'The current work on the upload',
)

const UPLOAD_STATES = [
  'receiving',
  'stored',
  'checking',
  'accepted',
  'ready',
  'rejected',
  'failed',
  'expired',
  'cancelled',
] as const satisfies UploadState[]

export const UploadDocumentSchema = object(
  {
    id: Text,
    submissionId: nullable(Text),
    slot: nullable(Text),
    revision: Int,
    state: Type.Enum([...UPLOAD_STATES]),
    accepted: Flag,
    playable: Flag,
    superseded: Flag,
    sequence: Int,
    declared: object(
      { filename: nullable(Text), type: nullable(Text), bytes: nullable(Int) },
      'DeclaredFile',
      'Values declared by the client',
    ),
    receivedBytes: Int,
    createdAt: Time,
    storedAt: nullable(Time),
    mediaRemovedAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'When the files were removed at the end of their retention period; the record stays',
      }),
    ),
    late: Flag,
    repaired: Flag,
    sha256: nullable(Text),
    progress: ProgressSchema,
    measured: MeasuredSchema,
    checks: Type.Array(CheckSchema),
    problems: Type.Array(FileProblemSchema),
    renditions: Type.Array(RenditionSchema),
    error: nullable(Type.Object({ code: Text, retryable: Flag }, { description: 'A system error; the file is kept' })),
  },
  'Upload',
  'One upload',
)

export const SlotDocumentSchema = object(
  {
    slot: Text,
    label: BilingualText,
    domain: Text,
    min: Int,
    max: Int,
    state: words('empty', 'receiving', 'checking', 'accepted', 'rejected'),
    uploads: Type.Array(Text, { description: 'Uploads that count or may still count' }),
    counted: Type.Array(Text, { description: 'Uploads that count' }),
    alternativeTo: Type.Optional(Type.Array(Text, { description: 'Alternative slots' })),
    metadata: Type.Record(Text, Type.Unknown()),
    problems: Type.Array(SlotProblemSchema),
  },
  'Slot',
  'One slot of a submission',
)

export const RevisionDocumentSchema = object(
  {
    revision: Int,
    sealedAt: Type.Optional(Time),
    sealedBy: Type.Optional(words('request', 'deadline')),
    creditedAt: Type.Optional(Time),
    returnedAt: Type.Optional(Time),
    reason: name,
    repairUntil: Type.Optional(Time),
    slots: Type.Optional(Type.Array(Text, { description: 'Slots whose files must be replaced, named by the return' })),
    closed: Type.Optional(
      object(
        {
          at: Time,
          outcome: name,
          keepUntil: Type.String({ format: 'date-time', description: 'Until then the files are kept' }),
          mediaRemovedAt: Type.Optional(
            Type.String({ format: 'date-time', description: 'When their removal began; the documents stay' }),
          ),
        },
        'Closing',
        'Closed after the decision; a return makes it history',
      ),
    ),
    uploads: Type.Record(Text, Type.Array(Text)),
  },
  'Revision',
  'One revision; uploads by slot',
)

export const SubmissionDocumentSchema = object(
  {
    id: Text,
    profile: Text,
    state: words('open', 'sealed', 'returned'),
    revision: Int,
    sequence: Int,
    opensAt: nullable(Time),
    deadline: nullable(Time),
    graceSeconds: Num,
    sealAtDeadline: Type.Boolean({
      description: 'Whether it is handed in by itself when its time is over and it is complete',
    }),
    accepting: Type.Boolean({ description: 'Whether a file completed now would count' }),
    creditedAt: nullable(Time),
    complete: Flag,
    missing: Type.Array(Text, { description: 'Slots to act on' }),
    pending: Type.Array(Text, { description: 'Slots with a pending verdict' }),
    sealRequestedAt: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When a seal was requested that waits for completeness',
    }),
    slots: Type.Array(SlotDocumentSchema),
    revisions: Type.Array(RevisionDocumentSchema),
    uniqueKey: nullable(Text),
    metadata: Type.Record(Text, Type.Unknown()),
    createdAt: Time,
    updatedAt: Time,
  },
  'Submission',
  'A submission: requirements, files, missing slots',
)

export type SlotProblem = FileProblem & { upload?: string }
export type UploadProgress = Static<typeof ProgressSchema>
export type RenditionDocument = Static<typeof RenditionSchema>
export type UploadDocument = Static<typeof UploadDocumentSchema>
export type SlotDocument = Static<typeof SlotDocumentSchema>
export type RevisionDocument = Static<typeof RevisionDocumentSchema>
export type SubmissionDocument = Static<typeof SubmissionDocumentSchema>
