// Schemas of the submission calls.

import Type from 'typebox'
import { SubmissionDocumentSchema } from '../submissions/document/schemas.ts'
import { ListedUploadSchema, MAX_LISTED } from './listed-upload.ts'

const Moment = (description: string) =>
  Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description }))

export const SubmissionId = Type.Object({
  id: Type.String({ description: 'Chosen by the portal: 1 to 128 of A-Z a-z 0-9 . _ ~ -' }),
})

export const PutBody = Type.Object(
  {
    profile: Type.String({
      minLength: 1,
      maxLength: 100,
      description: '`teacher.K4@1`, or `teacher.K4` for the newest version; the version is pinned',
    }),
    opensAt: Moment('No upload can be created before it'),
    deadline: Moment('RFC 3339; null or absent: none. A changed deadline applies at once'),
    graceSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 31_536_000,
        description: 'Uploads started before the deadline can end this much later. Default 0',
      }),
    ),
    sealAtDeadline: Type.Optional(
      Type.Boolean({
        description:
          'Hand it in by itself when deadline and grace are over and it is complete; pending verdicts are waited for. Default: as ' +
          'the profile says, mostly false',
      }),
    ),
    uniqueKey: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        minLength: 1,
        maxLength: 512,
        description: 'For example person, rank and term: no two active submissions of a portal can have the same',
      }),
    ),
    person: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        minLength: 1,
        maxLength: 256,
        description:
          'Whose hand-in it is, as in `subject`. Only compared: files that a person uses again are no copies of another’s. ' +
          'Default: the `subject` of each upload, which is somebody else where an office uploads for many',
      }),
    ),
    callbackUrl: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        maxLength: 2000,
        description: 'Target of this submission’s webhooks, instead of WEBHOOK_URL',
      }),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'Data of the portal; returned unchanged' }),
    ),
  },
  {
    title: 'SubmissionData',
    examples: [
      {
        profile: 'teacher.K4',
        deadline: '2026-09-30T16:30:00+07:00',
        graceSeconds: 3600,
        uniqueKey: '1100700000000/K4/2569',
        callbackUrl: 'https://portal.example/webhooks/songngan',
      },
    ],
    additionalProperties: false,
  },
)

export const SlotMetadataBody = Type.Object(
  {
    metadata: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Values of the slot’s fields; missing ones are not changed, null clears',
    }),
  },
  {
    title: 'SlotMetadataUpdate',
    examples: [{ metadata: { workType: 'research', plannedMinutes: 50 } }],
    additionalProperties: false,
  },
)

export const GetQuery = Type.Object({
  expand: Type.Optional(Type.Enum(['uploads'], { description: '`uploads`: with the documents of all uploads' })),
})

export const ListSubmissionsQuery = Type.Object({
  state: Type.Optional(Type.Enum(['open', 'sealed', 'returned'])),
  complete: Type.Optional(Type.Boolean()),
  updatedSince: Type.Optional(Type.String({ format: 'date-time' })),
  cursor: Type.Optional(Type.String({ maxLength: 400 })),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
})

export const ExpandedSubmission = Type.Object(
  {
    ...SubmissionDocumentSchema.properties,
    uploads: Type.Optional(
      Type.Array(ListedUploadSchema, {
        description: `With \`?expand=uploads\`: all uploads, oldest first; where there are more than ${MAX_LISTED}, the first ones`,
      }),
    ),
    uploadsCursor: Type.Optional(
      Type.String({
        description: 'There are more uploads: `GET …/uploads?cursor=` goes on from here',
      }),
    ),
  },
  { title: 'ExpandedSubmission', description: 'A submission; with `?expand=uploads` its uploads too' },
)

export const SubmissionList = Type.Object(
  {
    items: Type.Array(SubmissionDocumentSchema),
    nextCursor: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
  },
  { title: 'SubmissionList', description: 'A page of submissions; `nextCursor` null: there are no more at present' },
)
