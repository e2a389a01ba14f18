// `POST /v1/uploads/:id/links`: signed URLs for players and downloads, which need no other credentials.

import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { linkSessionOf } from '../auth/link-session.ts'
import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import type { KeyDerivation } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import { type Authorize, requireUpload } from '../events/access.ts'
import { BODY_CODES, problems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import { typedRoutes } from '../http/typed-routes.ts'
import type { UploadViews } from '../records/upload-views.ts'
import { mediaLinks } from './links.ts'

export type LinkRouteDeps = {
  authorize: Authorize
  views: Pick<UploadViews, 'one'>
  config: Pick<Config, 'http' | 'secrets'>
  clock: Clock
  keyDerivation: KeyDerivation
}

const DEFAULT_SECONDS = 6 * 60 * 60
const MAX_SECONDS = 7 * 24 * 60 * 60

const LinksBody = Type.Object(
  {
    names: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: 50,
        description: '`original` and names of renditions; default: all that are available',
      }),
    ),
    expiresInSeconds: Type.Integer({ minimum: 1, maximum: MAX_SECONDS, default: DEFAULT_SECONDS }),
    download: Type.Boolean({ default: false, description: 'Browsers download the file instead of showing it' }),
  },
  {
    title: 'LinksRequest',
    examples: [{ names: ['original'], expiresInSeconds: 3600, download: true }],
    additionalProperties: false,
  },
)

const LinksAnswer = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          url: Type.String(),
          contentType: Type.String(),
          bytes: Type.Integer(),
          expiresAt: Type.String({ format: 'date-time' }),
        },
        { title: 'Link' },
      ),
    ),
  },
  {
    title: 'Links',
    examples: [
      {
        items: [
          {
            name: 'original',
            url: 'https://files.example/media/token/lesson.mp4',
            contentType: 'video/mp4',
            bytes: 734003200,
            expiresAt: '2026-09-30T10:00:00.000Z',
          },
        ],
      },
    ],
    description: 'A link for each file',
  },
)

export async function linkRoutes(app: FastifyInstance, deps: LinkRouteDeps): Promise<void> {
  await app.register(async (scope) => {
    typedRoutes(scope).post(
      '/v1/uploads/:id/links',
      {
        schema: {
          tags: ['uploads'],
          operationId: 'createLinks',
          summary: 'Create links to the original and its renditions',
          description:
            'Valid for a limited time, and good without other credentials. A session’s links end with the session.',
          params: Type.Object({ id: Type.String({ description: 'Given by the service; the end of its tus URL' }) }),
          body: LinksBody,
          response: {
            200: LinksAnswer,
            ...problems([
              ...BODY_CODES,
              'ID_INVALID',
              'UPLOAD_UNKNOWN',
              'UPLOAD_EXPIRED',
              'UPLOAD_CANCELLED',
              'MEDIA_UNKNOWN',
              'MEDIA_NOT_READY',
              'MEDIA_REMOVED',
            ]),
          },
        },
      },
      async (request) => {
        const { views, config, clock } = deps
        const caller = await deps.authorize(request)
        const { view } = await requireUpload({ views, secrets: config.secrets.uploadId }, caller, request.params.id)
        if (view.record === undefined)
          throw new AppError('MEDIA_NOT_READY', { details: { state: 'receiving' }, retryAfterSeconds: 5 })
        const { names, expiresInSeconds, download } = request.body
        return {
          items: mediaLinks(view.record, {
            names,
            download,
            expiresAtMs: Math.min(
              clock.now() + expiresInSeconds * 1000,
              caller.session?.expMs ?? Number.POSITIVE_INFINITY,
            ),
            baseUrl: publicUrl(config, request),
            secrets: config.secrets.link,
            session:
              caller.session === undefined
                ? null
                : linkSessionOf(caller.session.issued, caller.session.subject, config.secrets.link),
            derives: deps.keyDerivation.active,
          }),
        }
      },
    )
  })
}
