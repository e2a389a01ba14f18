// Upload calls: read one, list those of a submission, cancel.

import Type from 'typebox'
import { type Auth, type Caller, maySee, submissionOf } from '../auth/authenticate.ts'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { isUploadId } from '../core/ids.ts'
import type { Erasure } from '../erasure/erasure.ts'
import { isUnchanged } from '../http/conditional.ts'
import { PORTAL_ONLY } from '../http/openapi/documented.ts'
import { noContent, problems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import type { Api } from '../http/typed-routes.ts'
import type { UploadView } from '../records/upload-views.ts'
import { type CompletenessDeps, refreshCompleteness } from '../submissions/completeness.ts'
import { UploadDocumentSchema } from '../submissions/document/schemas.ts'
import { type DocumentDeps, loadSubmission, uploadDocument, uploadInSlot } from '../submissions/documents.ts'
import { ListedUploadSchema, MAX_LISTED, pageOfUploads } from './listed-upload.ts'
import { SubmissionId } from './submission-schemas.ts'

export type UploadsApiDeps = CompletenessDeps & {
  config: Pick<Config, 'http' | 'secrets'>
  auth: Auth
  erasure: Pick<Erasure, 'upload'>
}

export const UploadId = Type.Object({
  id: Type.String({ description: 'Given by the service; the end of its tus URL' }),
})

const ListQuery = Type.Object({
  slot: Type.Optional(Type.String()),
  state: Type.Optional(UploadDocumentSchema.properties.state),
  cursor: Type.Optional(Type.String()),
  limit: Type.Integer({ minimum: 1, maximum: MAX_LISTED, default: MAX_LISTED }),
})

const UploadList = Type.Object(
  {
    items: Type.Array(ListedUploadSchema),
    nextCursor: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
  },
  { title: 'UploadList', description: 'A page of uploads' },
)

export function uploadsApi(api: Api, deps: UploadsApiDeps): void {
  const { auth, clock, config } = deps

  api.get(
    '/v1/submissions/:id/uploads',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags: ['uploads'],
        operationId: 'listUploads',
        summary: 'List the uploads of a submission',
        description:
          'Oldest first, also rejected, superseded and removed ones; of a file that came in pieces, only the file.',
        params: SubmissionId,
        querystring: ListQuery,
        response: {
          200: UploadList,
          ...problems([
            'BAD_REQUEST',
            'ID_INVALID',
            'CURSOR_INVALID',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'PROFILE_UNKNOWN',
            'RATE_LIMITED',
          ]),
        },
      },
    },
    async (request) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const { slot, state, cursor, limit } = request.query
      const loaded = await loadSubmission(deps, owner, id)
      return pageOfUploads(loaded, {
        nowMs: clock.now(),
        base: publicUrl(config, request),
        cursor,
        limit,
        fits: (document) =>
          (slot === undefined || document.slot === slot) && (state === undefined || document.state === state),
      })
    },
  )

  api.get(
    '/v1/uploads/:id',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags: ['uploads'],
        operationId: 'getUpload',
        summary: 'Read an upload',
        params: UploadId,
        response: {
          200: UploadDocumentSchema,
          304: noContent('Not changed'),
          ...problems(['ID_INVALID', 'UPLOAD_UNKNOWN', 'SUBMISSION_DELETED', 'PROFILE_UNKNOWN', 'RATE_LIMITED']),
        },
      },
    },
    async (request, reply) => {
      const view = await viewOf(deps, auth.caller(request), request.params.id)
      const document = await documentOf(deps, view)
      return isUnchanged(request, reply, document) ? reply.code(304).send(null) : document
    },
  )

  api.delete(
    '/v1/uploads/:id',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags: ['uploads'],
        operationId: 'deleteUpload',
        security: PORTAL_ONLY,
        summary: 'Cancel an upload and erase it',
        description:
          'In any state. Its bytes, names and measurements are removed; that there was one stays. Repeating it is 204 again.',
        params: UploadId,
        response: {
          204: noContent('Removed'),
          ...problems(['ID_INVALID', 'UPLOAD_UNKNOWN', 'SUBMISSION_DELETED', 'SUBMISSION_SEALED', 'NO_SPACE'], {
            SUBMISSION_SEALED: 409,
          }),
        },
      },
    },
    async (request, reply) => {
      const view = await viewOf(deps, auth.caller(request), request.params.id)
      const { owner, submissionId } = originOf(view)
      if (submissionId !== null) await deps.heads.require(owner, submissionId)
      await deps.erasure.upload(view, { by: `portal ${owner}`, from: request.ip })
      if (submissionId !== null) await refreshCompleteness(deps, owner, submissionId)
      return await reply.code(204).send(null)
    },
  )
}

type Origin = { owner: string; submissionId: string | null }

function originOf({ record, hot }: UploadView): Origin {
  const known = record ?? hot?.draft
  if (known === undefined) throw new AppError('UPLOAD_UNKNOWN')
  return known
}

/** The upload, if the caller may see it. Throws UPLOAD_UNKNOWN, also for uploads of others. */
export async function viewOf(
  { views, config }: Pick<UploadsApiDeps, 'views' | 'config'>,
  caller: Caller,
  id: string,
): Promise<UploadView> {
  const view = isUploadId(id, config.secrets.uploadId) ? await views.one(id) : undefined
  if (view === undefined || !maySee(caller, originOf(view))) throw new AppError('UPLOAD_UNKNOWN')
  return view
}

async function documentOf(deps: DocumentDeps, view: UploadView) {
  const { owner, submissionId } = originOf(view)
  if (submissionId === null) return uploadDocument(view, undefined, false)
  return await uploadInSlot(deps, await deps.heads.require(owner, submissionId), view)
}

/** The document of `GET /v1/uploads/:id`, for event streams. Throws UPLOAD_UNKNOWN, SUBMISSION_DELETED. */
export async function uploadSnapshot(deps: DocumentDeps, id: string) {
  const view = await deps.views.one(id)
  if (view === undefined) throw new AppError('UPLOAD_UNKNOWN')
  return await documentOf(deps, view)
}
