// Every event that portals and pages get, as the OpenAPI document describes it: the same body on webhooks, streams and `/v1/events`.

import { readFileSync } from 'node:fs'
import Type, { type TSchema } from 'typebox'

const Slots = Type.Array(Type.String())
const Moment = Type.String({ format: 'date-time' })

const UPLOAD_DETAILS = {
  late: Type.Optional(Type.Boolean()),
  problems: Type.Optional(
    Type.Array(
      Type.Object(
        {
          code: Type.String(),
          severity: Type.Enum(['reject', 'warn', 'advise']),
          message: Type.Object({ th: Type.String(), en: Type.String() }, { title: 'Bilingual' }),
        },
        { title: 'EventProblem', additionalProperties: true, description: 'As in the document of the upload' },
      ),
    ),
  ),
}

/** What all events have. Open: a later version may tell more, and of more. */
export const EventSchema = Type.Object(
  {
    id: Type.String({ description: 'The same in every delivery' }),
    type: Type.String({ description: 'Pass over those that you do not know' }),
    timestamp: Moment,
    data: Type.Object(
      {
        sequence: Type.Integer({ description: 'Rises within a submission: orders its events' }),
        submissionId: Type.String(),
        uploadId: Type.Optional(Type.String()),
        slot: Type.Optional(Type.String()),
        revision: Type.Integer(),
        state: Type.String({ description: 'Of the upload, or of the submission' }),
      },
      { additionalProperties: true },
    ),
  },
  { title: 'Event', additionalProperties: true, description: 'As webhooks and streams tell it' },
)

type Told = { when: string; data?: Record<string, TSchema> }

/**
 * By type: when it is told, and what its `data` has beside what all have.
 *
 * @internal
 */
export const EVENT_TYPES: Readonly<Record<string, Told>> = {
  'upload.created': { when: 'The first bytes of an upload are stored' },
  'upload.stored': { when: 'Its last byte is stored; its time counts' },
  'upload.accepted': { when: 'The file meets the rules' },
  'upload.rejected': { when: 'The file breaks a rule: `problems`' },
  'upload.playable': { when: 'The first rendition can be watched' },
  'upload.ready': { when: 'All renditions are made' },
  'upload.failed': { when: 'A system error; the file is kept' },
  'upload.expired': { when: 'It was unfinished for too long, or the bucket has lost its bytes' },
  'upload.cancelled': { when: 'It was cancelled, or ended by a seal' },
  'upload.superseded': { when: 'A newer file counts in its place' },
  'submission.complete': { when: 'All required slots have accepted files' },
  'submission.incomplete': { when: 'It is not complete any more', data: { missing: Slots } },
  'submission.due': {
    when: '24 hours and 1 hour before the end of its time, while it is not handed in',
    data: {
      hours: Type.Enum([24, 1]),
      deadline: Moment,
      complete: Type.Boolean(),
      missing: Slots,
      pending: Type.Optional(Slots),
      sealAtDeadline: Type.Boolean(),
    },
  },
  'submission.lapsed': {
    when: 'Its time is over, and it is not complete',
    data: { missing: Slots, pending: Type.Optional(Slots) },
  },
  'submission.sealed': { when: 'It is handed in', data: { by: Type.Enum(['request', 'deadline']) } },
  'submission.returned': { when: 'It was returned: the next revision is open' },
  'submission.closed': { when: 'It was closed after the decision, or that was changed', data: { keepUntil: Moment } },
  'submission.reopened': { when: 'The closing was withdrawn' },
  'submission.media_removed': { when: 'The date of a closing came, and all its files are removed' },
}

const ANSWERS = {
  '2XX': { description: 'Delivered' },
  '410': { description: 'The address is switched off for a day' },
  default: { description: 'Delivered again, for three days' },
}

const SIGNED = [
  ['webhook-id', 'The same in every delivery: pass over what you have seen'],
  ['webhook-timestamp', 'Seconds since 1970, of this delivery'],
  ['webhook-signature', 'Over id, timestamp and raw body'],
].map(([name, description]) => ({ name, in: 'header', required: true, description, schema: { type: 'string' } }))

/**
 * One body of each type, as the service published it in a test. `npm run openapi` writes them.
 *
 * @internal
 */
export const EXAMPLES = new URL('./event-examples.json', import.meta.url)

/** The member `webhooks` of an OpenAPI 3.1 document. */
export function describedWebhooks() {
  const examples = JSON.parse(readFileSync(EXAMPLES, 'utf8')) as Record<string, object>
  const described = Object.entries(EVENT_TYPES).map(([type, { when, data }]) => {
    const post = {
      tags: ['events'],
      operationId: `on${nameOf(type)}`,
      summary: when,
      description: 'Signed as in Standard Webhooks.',
      security: [],
      parameters: SIGNED,
      requestBody: {
        required: true,
        content: { 'application/json': { schema: bodyOf(type, data), example: examples[type] } },
      },
      responses: ANSWERS,
    }
    return [type, { post }] as const
  })
  return Object.fromEntries(described)
}

/** `upload.accepted` as UploadAccepted. */
function nameOf(type: string): string {
  return type.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function bodyOf(type: string, more: Record<string, TSchema> = {}): object {
  const aboutUpload = type.startsWith('upload.')
  return Type.Object(
    {
      id: Type.String({ description: 'The same in every delivery' }),
      type: Type.Enum([type]),
      timestamp: Moment,
      data: Type.Object({
        sequence: Type.Integer({ description: 'Rises within a submission: orders its events' }),
        submissionId: Type.String(),
        ...(aboutUpload ? { uploadId: Type.String(), slot: Type.String(), ...UPLOAD_DETAILS } : {}),
        revision: Type.Integer(),
        state: Type.String({ description: aboutUpload ? 'Of the upload' : 'Of the submission' }),
        ...more,
      }),
    },
    { title: `${nameOf(type)}Event` },
  )
}
