// Shapes of the calls on submissions.

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
      description: '`teacher.K4@1`, or `teacher.K4` for the newest version, which is then pinned',
    }),
    opensAt: Moment('No upload is created before it'),
    deadline: Moment('RFC 3339; null or absent: there is none. A changed deadline holds at once'),
    graceSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 31_536_000,
        description: 'What was begun by the deadline may end this much later. Default 0',
      }),
    ),
    uniqueKey: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        minLength: 1,
        maxLength: 512,
        description: 'Person, rank and term: no two active submissions of a portal have the same',
      }),
    ),
    callbackUrl: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        maxLength: 2000,
        description: 'Where this submission’s events are posted instead of WEBHOOK_URL',
      }),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'The portal’s own; given back as it is' }),
    ),
  },
  { additionalProperties: false },
)

export const SlotMetadataBody = Type.Object(
  {
    metadata: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Values of the slot’s fields; what is not named stays, null clears',
    }),
  },
  { additionalProperties: false },
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
  { description: 'A submission: what is asked for, what is there, what is missing' },
)

export const SubmissionList = Type.Object({
  items: Type.Array(SubmissionDocumentSchema),
  nextCursor: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
})
