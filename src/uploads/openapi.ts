// The tus endpoint in the OpenAPI document. Its routes take whole requests over before Fastify could read a schema of them.

import type { ErrorCode } from '../core/errors.ts'
import type { Json } from '../http/openapi/components.ts'
import { WITH_TICKET } from '../http/openapi/documented.ts'
import { publicProblems } from '../http/openapi/responses.ts'
import { CHECKSUM_ALGORITHMS } from './checksum.ts'
import { TUS_EXTENSIONS } from './tus-server.ts'
import { OFFSET_TYPE } from './tus-words.ts'

const BODY = { [OFFSET_TYPE]: { schema: { type: 'string', format: 'binary' } } }

const text = (description: string, more: Json = {}) => ({ description, schema: { type: 'string', ...more } })
const bytes = (description: string) => ({ description, schema: { type: 'integer', minimum: 0 } })

const VERSION = text('The version of the protocol', { enum: ['1.0.0'] })
const LENGTH = bytes('Bytes of the whole file')
const METADATA = text(
  'Pairs of key and base64 value, separated by commas: `filename` (or `name`), `filetype` (or `type`), `fingerprint`. Unknown keys are kept',
  { examples: ['filename cGxhbi5wZGY=,filetype YXBwbGljYXRpb24vcGRm'] },
)
const CONCAT = text('`partial` for a piece, or `final;` and the URLs of all pieces, separated by spaces')
const EXPIRES = text('When the upload expires, unless bytes arrive (RFC 9110 date); absent once it is complete')
const OFFSET_NOW = bytes('Bytes that are stored: the next PATCH begins here')

const RESUMABLE = { 'Tus-Resumable': VERSION, 'X-Request-Id': text('Names this request in the logs') }

const sent = (name: string, { description, schema }: { description: string; schema: object }, required = false) => ({
  name,
  in: 'header',
  required,
  description,
  schema,
})

const VERSION_SENT = sent('Tus-Resumable', VERSION, true)
const OVERRIDE = sent('X-HTTP-Method-Override', text('The method that is meant, from clients that cannot send it'))
const CHECKSUM = sent(
  'Upload-Checksum',
  text(
    `Algorithm (${CHECKSUM_ALGORITHMS.join(', ')}) and base64 sum of this body, which then counts whole or not at all; at most 64 MiB`,
  ),
)
const UPLOAD_ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'As in `/v1/uploads/{id}`',
  schema: { type: 'string' },
}

/** Clients start again from byte 0 after a 5xx to HEAD: what is the service's own trouble is 423 there, and to PATCH. */
const AS_LOCKED = {
  STORE_UNAVAILABLE: 423,
  REDIS_UNAVAILABLE: 423,
  KEYS_UNAVAILABLE: 423,
  DRAINING: 423,
  INTERNAL: 423,
} as const

const REQUEST = ['BAD_REQUEST', 'TUS_HEADER_INVALID', 'TUS_VERSION_UNSUPPORTED'] as const
const TICKET = ['TICKET_INVALID', 'TICKET_REVOKED', 'KEYS_UNAVAILABLE', 'REDIS_UNAVAILABLE'] as const
const FOUND = ['TICKET_SCOPE', 'UPLOAD_UNKNOWN', 'UPLOAD_EXPIRED', 'UPLOAD_CANCELLED', 'UPLOAD_LOCKED'] as const
const BODIES = [
  'UPLOAD_TOO_LARGE',
  'UPLOAD_LENGTH_EXCEEDED',
  'UPLOAD_TYPE_NOT_ALLOWED',
  'UPLOAD_TAKEN_OVER',
  'CHECKSUM_UNSUPPORTED',
  'CHECKSUM_BODY_TOO_LARGE',
  'CHECKSUM_MISMATCH',
  'MEDIA_TYPE_UNSUPPORTED',
  'TRANSFER_CODING_UNSUPPORTED',
  'NO_SPACE',
] as const
const CREATING: readonly ErrorCode[] = [
  'TICKET_EXPIRED',
  'UPLOAD_EMPTY',
  'METADATA_TOO_LARGE',
  'CONCAT_INVALID',
  'SUBMISSION_UNKNOWN',
  'SUBMISSION_DELETED',
  'SUBMISSION_SEALED',
  'PROFILE_UNKNOWN',
  'SLOT_UNKNOWN',
  'SLOT_FULL',
  'SLOT_UPLOADS_LIMIT',
  'SUBMISSION_UPLOADS_LIMIT',
  'SUPERSEDED_LIMIT',
  'STORED_BYTES_LIMIT',
  'OPEN_UPLOADS_LIMIT',
  'OPEN_BYTES_LIMIT',
  'REPLACES_UNKNOWN',
  'NOT_OPEN_YET',
  'DEADLINE_PASSED',
  'UPLOAD_EXPIRED',
  'UPLOAD_CANCELLED',
  'UPLOAD_LOCKED',
  'RATE_LIMITED',
  'DRAINING',
  'OVERLOADED',
  'ADMISSION_CLOSED',
]

const operation = (operationId: string, summary: string, more: Json) => ({
  tags: ['tus'],
  operationId,
  summary,
  ...more,
})

function options(operationId: string): Json {
  const headers = {
    ...RESUMABLE,
    'Tus-Version': VERSION,
    'Tus-Extension': text('Extensions, separated by commas', { examples: [TUS_EXTENSIONS.join(',')] }),
    'Tus-Max-Size': bytes('No file can be larger; a slot may allow less'),
    'Tus-Checksum-Algorithm': text('Separated by commas', { examples: [CHECKSUM_ALGORITHMS.join(',')] }),
  }
  return operation(operationId, 'What the tus endpoint can do', {
    description: 'No authentication.',
    security: [],
    responses: {
      204: { description: 'Its version, extensions and limits', headers },
      ...publicProblems(['BAD_REQUEST']),
    },
  })
}

const CREATE = operation('createUpload', 'Create an upload', {
  description:
    'With a ticket, in its slot. All checks that need no byte of the file come before one is sent. A body of type ' +
    `\`${OFFSET_TYPE}\` is the beginning of the file. A creation with the \`fingerprint\` of an unfinished upload of the same slot and length ` +
    'answers with that upload and its offset. `Upload-Concat: final;…` joins pieces, and is no creation for a ticket that has expired.',
  security: WITH_TICKET,
  parameters: [
    VERSION_SENT,
    sent('Upload-Length', LENGTH),
    sent(
      'Upload-Defer-Length',
      text('`1`: the length follows with a PATCH, instead of `Upload-Length`', { enum: ['1'] }),
    ),
    sent('Upload-Metadata', METADATA),
    sent('Upload-Concat', CONCAT),
    CHECKSUM,
    OVERRIDE,
  ],
  requestBody: { description: 'The beginning of the file, or nothing', content: BODY },
  responses: {
    201: {
      description: 'Created, or found again',
      headers: {
        ...RESUMABLE,
        Location: text('The URL of the upload', { format: 'uri' }),
        'Upload-Offset': OFFSET_NOW,
        'Upload-Expires': EXPIRES,
      },
    },
    ...publicProblems([...REQUEST, ...TICKET, ...CREATING, ...BODIES], { SLOT_FULL: 403, NO_SPACE: 503 }),
    ...only(507, publicProblems(['NO_SPACE'])),
  },
})

const HEAD = operation('getUploadOffset', 'How many bytes of an upload are stored', {
  description: 'Never ends a running PATCH. Answers have no body. Repeat it after 423 and 5xx, and do not begin again.',
  security: WITH_TICKET,
  parameters: [UPLOAD_ID, VERSION_SENT],
  responses: {
    200: {
      description: 'It goes on at `Upload-Offset`, or is complete',
      headers: {
        ...RESUMABLE,
        'Upload-Offset': OFFSET_NOW,
        'Upload-Length': LENGTH,
        'Upload-Defer-Length': text('`1` while the length is not known'),
        'Upload-Metadata': METADATA,
        'Upload-Concat': CONCAT,
        'Upload-Expires': EXPIRES,
        'Cache-Control': text('`no-store`'),
      },
    },
    ...publicProblems([...REQUEST, ...TICKET, ...FOUND], AS_LOCKED),
  },
})

const PATCH = operation('appendToUpload', 'Send bytes of an upload', {
  description:
    'One PATCH can carry the whole rest of the file. Its answer comes when the bytes are durable. Bytes that arrived before a ' +
    'connection broke are kept. A newer PATCH at the stored offset ends an older one.',
  security: WITH_TICKET,
  parameters: [
    UPLOAD_ID,
    VERSION_SENT,
    sent('Upload-Offset', bytes('Where the body begins: what HEAD or the last answer said'), true),
    sent('Upload-Length', bytes('Once, where the creation deferred it')),
    CHECKSUM,
    OVERRIDE,
  ],
  requestBody: { required: true, description: 'Bytes of the file from `Upload-Offset` on', content: BODY },
  responses: {
    204: { description: 'Stored', headers: { ...RESUMABLE, 'Upload-Offset': OFFSET_NOW, 'Upload-Expires': EXPIRES } },
    ...publicProblems(
      [...REQUEST, ...TICKET, ...FOUND, ...BODIES, 'OFFSET_MISMATCH', 'CONCAT_FINAL_PATCH', 'DRAINING'],
      AS_LOCKED,
    ),
  },
})

const DELETE = operation('terminateUpload', 'Cancel an unfinished upload', {
  description: 'With a ticket only while bytes are missing; afterwards the portal removes it (`deleteUpload`).',
  security: WITH_TICKET,
  parameters: [UPLOAD_ID, VERSION_SENT, OVERRIDE],
  responses: {
    204: { description: 'Cancelled', headers: RESUMABLE },
    ...publicProblems([...REQUEST, ...TICKET, ...FOUND, 'UPLOAD_FINISHED', 'SUBMISSION_SEALED'], {
      SUBMISSION_SEALED: 409,
    }),
  },
})

const FILE = { [OFFSET_TYPE.replace('offset+', '')]: { schema: { type: 'string', format: 'binary' } } }

const GET = operation('downloadUpload', 'The bytes of a complete upload', {
  description:
    'Only where `AUTH=none`, for gateways without a portal; else 405, and files are behind links (`createLinks`).',
  security: [],
  parameters: [UPLOAD_ID, sent('Range', text('A part of the file (RFC 9110)'))],
  responses: {
    200: { description: 'The file', headers: RESUMABLE, content: FILE },
    206: {
      description: 'The part that `Range` asked for',
      headers: { ...RESUMABLE, 'Content-Range': text('Which part') },
      content: FILE,
    },
    416: { description: 'The file has no such part', headers: { 'Content-Range': text('Its length') } },
    ...publicProblems([
      ...TICKET,
      'TICKET_SCOPE',
      'METHOD_NOT_ALLOWED',
      'UPLOAD_UNKNOWN',
      'MEDIA_REMOVED',
      'MEDIA_NOT_READY',
    ]),
  },
})

function only(status: number, responses: Record<number, unknown>): Record<number, unknown> {
  return { [status]: responses[status] }
}

/** The member `paths` of the document, as far as tus is concerned. */
export function tusPaths(): Json {
  return structuredClone({
    '/files': { options: options('getTusOptions'), post: CREATE },
    '/files/{id}': {
      options: { ...options('getUploadOptions'), parameters: [UPLOAD_ID] },
      head: HEAD,
      patch: PATCH,
      delete: DELETE,
      get: GET,
    },
  })
}
