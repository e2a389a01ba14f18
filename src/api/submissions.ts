// The submission calls: create, read, list, change and delete.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import type { Config } from '../core/config.ts'
import type { Erasure } from '../erasure/erasure.ts'
import { isUnchanged } from '../http/conditional.ts'
import { badRequest } from '../http/errors.ts'
import { PORTAL_ONLY } from '../http/openapi/documented.ts'
import { BODY_CODES, noContent, problems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import { type Api, BODY_LIMIT_BYTES } from '../http/typed-routes.ts'
import { loadIfThere } from '../submissions/completeness-events.ts'
import { SubmissionDocumentSchema } from '../submissions/document/schemas.ts'
import { type DocumentDeps, loadSubmission } from '../submissions/documents.ts'
import { type ListDeps, listSubmissions } from '../submissions/list.ts'
import { type PutDeps, putSubmission } from '../submissions/put-submission.ts'
import { patchSlotMetadata } from '../submissions/slot-metadata.ts'
import { expectedVersion } from './if-match.ts'
import { MAX_LISTED, pageOfUploads } from './listed-upload.ts'
import {
  ExpandedSubmission,
  GetQuery,
  ListSubmissionsQuery,
  PutBody,
  SlotMetadataBody,
  SubmissionId,
  SubmissionList,
} from './submission-schemas.ts'

export type SubmissionsApiDeps = DocumentDeps &
  PutDeps &
  ListDeps & {
    config: Pick<Config, 'http' | 'webhooks'>
    auth: Auth
    erasure: Pick<Erasure, 'submission'>
  }

const FOUND = ['ID_INVALID', 'SUBMISSION_UNKNOWN', 'SUBMISSION_DELETED'] as const
const tags = ['submissions']
const told = (description: string) => ({ ...SubmissionDocumentSchema, 'x-response-description': description })

export function submissionsApi(api: Api, deps: SubmissionsApiDeps): void {
  const { auth } = deps

  api.put(
    '/v1/submissions/:id',
    {
      onRequest: auth.requirePortal,
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        tags,
        operationId: 'putSubmission',
        security: PORTAL_ONLY,
        summary: 'Create or update a submission',
        description:
          'The body replaces all data of the portal: a missing member gets its default. Repeating the same body ' +
          'changes nothing. With `If-Match` it applies only to the document with that ETag, with ' +
          '`If-None-Match: *` it only creates. With another profile, existing files are validated again from their measurements.',
        params: SubmissionId,
        body: PutBody,
        response: {
          200: told('Updated, or as it was'),
          201: told('Created'),
          ...problems(
            [
              ...BODY_CODES,
              'ID_INVALID',
              'SUBMISSION_DELETED',
              'SUBMISSION_SEALED',
              'SUBMISSION_DUPLICATE',
              'PROFILE_UNKNOWN',
              'CALLBACK_UNSIGNED',
              'NO_SPACE',
              'PRECONDITION_FAILED',
            ],
            { SUBMISSION_SEALED: 409 },
          ),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const expected = await expectedVersion(request, () => loadIfThere(deps, owner, id))
      const { loaded, created } = await putSubmission(deps, owner, id, request.body, expected)
      isUnchanged(request, reply, loaded.document)
      return await reply.code(created ? 201 : 200).send(loaded.document)
    },
  )

  api.get(
    '/v1/submissions/:id',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags,
        operationId: 'getSubmission',
        summary: 'Read a submission',
        params: SubmissionId,
        querystring: GetQuery,
        response: {
          200: ExpandedSubmission,
          304: noContent('Not changed'),
          ...problems([...FOUND, 'BAD_REQUEST', 'PROFILE_UNKNOWN', 'RATE_LIMITED']),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const loaded = await loadSubmission(deps, owner, id)
      const expanded = () => {
        const base = publicUrl(deps.config, request)
        const { items, nextCursor } = pageOfUploads(loaded, { nowMs: deps.clock.now(), base, limit: MAX_LISTED })
        return nextCursor === null ? { uploads: items } : { uploads: items, uploadsCursor: nextCursor }
      }
      const document = request.query.expand === 'uploads' ? { ...loaded.document, ...expanded() } : loaded.document
      return isUnchanged(request, reply, document) ? reply.code(304).send(null) : document
    },
  )

  api.get(
    '/v1/submissions',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags,
        operationId: 'listSubmissions',
        security: PORTAL_ONLY,
        summary: 'List submissions by their last change',
        description:
          'Submissions that change while you read pages move to the end, so none is missed. A page may have fewer ' +
          'than `limit` items, or none, and still have a `nextCursor`: continue until it is null.',
        querystring: ListSubmissionsQuery,
        response: {
          200: SubmissionList,
          ...problems(['BAD_REQUEST', 'CURSOR_INVALID', 'PROFILE_UNKNOWN', 'INDEX_REBUILDING']),
        },
      },
    },
    async (request) => {
      const caller = auth.caller(request)
      const { updatedSince, ...query } = request.query
      if (updatedSince === undefined) return await listSubmissions(deps, caller.owner, query)
      const updatedSinceMs = Date.parse(updatedSince)
      if (Number.isNaN(updatedSinceMs))
        throw badRequest({ in: 'query', path: '/updatedSince', message: 'must be a date and time' })
      return await listSubmissions(deps, caller.owner, { ...query, updatedSinceMs })
    },
  )

  api.delete(
    '/v1/submissions/:id',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags,
        operationId: 'deleteSubmission',
        security: PORTAL_ONLY,
        summary: 'Delete a submission and all its files',
        description:
          'Also a sealed one. Files, names, metadata, attempts and waiting webhooks are removed; a tombstone without personal ' +
          'data stays, and the id answers 410. Its `uniqueKey` is free again. Repeating it is 204 again.',
        params: SubmissionId,
        response: {
          204: noContent('Deleted'),
          ...problems(['ID_INVALID', 'SUBMISSION_UNKNOWN', 'NO_SPACE']),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      await deps.erasure.submission(owner, id, { by: `portal ${owner}`, from: request.ip })
      return await reply.code(204).send(null)
    },
  )

  api.patch(
    '/v1/submissions/:id/slots/:slot',
    {
      onRequest: auth.requirePortalOrSession('upload'),
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        tags,
        operationId: 'setSlotMetadata',
        summary: 'Set the metadata fields of a slot',
        params: Type.Object({
          ...SubmissionId.properties,
          slot: Type.String({ description: 'A slot of the profile' }),
        }),
        body: SlotMetadataBody,
        response: {
          200: SubmissionDocumentSchema,
          ...problems(
            [
              ...BODY_CODES,
              ...FOUND,
              'SUBMISSION_SEALED',
              'SLOT_UNKNOWN',
              'SLOT_METADATA_INVALID',
              'PROFILE_UNKNOWN',
              'NO_SPACE',
              'RATE_LIMITED',
              'PRECONDITION_FAILED',
            ],
            { SUBMISSION_SEALED: 409 },
          ),
        },
      },
    },
    async (request) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const { slot } = request.params
      const expected = await expectedVersion(request, () => loadIfThere(deps, owner, id))
      return (await patchSlotMetadata(deps, owner, id, slot, request.body.metadata, expected)).document
    },
  )
}
