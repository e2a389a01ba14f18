// An upload in a list: its document, and for an unfinished one the data to resume it from another device.

import Type, { type Static } from 'typebox'
import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { UploadView } from '../records/upload-views.ts'
import { type UploadDocument, UploadDocumentSchema } from '../submissions/document/schemas.ts'
import { type LoadedSubmission, uploadDocuments } from '../submissions/documents.ts'

/** Uploads in one answer. */
export const MAX_LISTED = 200

export const ListedUploadSchema = Type.Object(
  {
    ...UploadDocumentSchema.properties,
    url: Type.Optional(Type.String({ description: 'Of an unfinished upload: its tus URL' })),
    fingerprint: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        description: 'Of an unfinished upload: the fingerprint that its client sent',
      }),
    ),
    partial: Type.Optional(
      Type.Boolean({
        description: 'A piece of a file that is sent in several at once; listed until it is joined or gone',
      }),
    ),
    expiresAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'Of an unfinished upload: when it expires, unless bytes arrive',
      }),
    ),
  },
  { title: 'ListedUpload', description: 'An upload in a list' },
)

export type ListedUpload = Static<typeof ListedUploadSchema>

/** False for a piece that a file is made of by now, or that is gone: nobody handed it in, and nobody can go on with it. */
function isListed({ state }: UploadDocument, view: UploadView): boolean {
  const { concat } = view.record ?? view.hot?.draft ?? {}
  return concat?.kind !== 'partial' || (concat.final === undefined && state !== 'cancelled' && state !== 'expired')
}

/** @param base public URL, without trailing slash */
function listedUpload(document: UploadDocument, view: UploadView, base: string): ListedUpload {
  const { record, hot } = view
  const partial = (record ?? hot?.draft)?.concat?.kind === 'partial' ? { partial: true } : {}
  if (document.state !== 'receiving') return { ...document, ...partial }
  return {
    ...document,
    ...partial,
    url: `${base}/files/${document.id}`,
    fingerprint: (record ?? hot?.draft)?.fingerprint ?? null,
    ...(hot === undefined ? {} : { expiresAt: isoTime(hot.expiresAtMs) }),
  }
}

export type UploadsPage = { items: ListedUpload[]; nextCursor: string | null }

/**
 * Uploads of a submission, oldest first, behind those that an earlier page ended with. Throws CURSOR_INVALID.
 *
 * @param options.base public URL, without a slash at the end
 * @param options.cursor id of the last upload of the page before: ids never move
 */
export function pageOfUploads(
  loaded: LoadedSubmission,
  options: {
    nowMs: number
    base: string
    cursor?: string | undefined
    limit: number
    /** Besides what a list leaves out of itself. */
    fits?: (document: UploadDocument) => boolean
  },
): UploadsPage {
  const { cursor, limit, nowMs, base, fits } = options
  const start = cursor === undefined ? 0 : loaded.views.findIndex(({ id }) => id === cursor) + 1
  if (cursor !== undefined && start === 0) throw new AppError('CURSOR_INVALID')
  const documentOf = uploadDocuments(loaded, nowMs)
  const found: ListedUpload[] = []
  for (const view of loaded.views.slice(start)) {
    const document = documentOf(view)
    if (isListed(document, view) && (fits?.(document) ?? true)) found.push(listedUpload(document, view, base))
    if (found.length > limit) break
  }
  const items = found.slice(0, limit)
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
}
