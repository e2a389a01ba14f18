// An upload in a list: its document, and for an unfinished one what another machine needs to go on with it.

import Type, { type Static } from 'typebox'
import { isoTime } from '../core/clock.ts'
import type { UploadView } from '../records/upload-views.ts'
import { type UploadDocument, UploadDocumentSchema } from '../submissions/document/schemas.ts'

export const ListedUploadSchema = Type.Object(
  {
    ...UploadDocumentSchema.properties,
    url: Type.Optional(Type.String({ description: 'Of an unfinished upload: where tus goes on with it' })),
    fingerprint: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        description: 'Of an unfinished upload: what its client said the file is known by',
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
        description: 'Of an unfinished upload: removed then, unless bytes arrive',
      }),
    ),
  },
  { description: 'An upload in a list' },
)

export type ListedUpload = Static<typeof ListedUploadSchema>

/** False for a piece that a file is made of by now, or that is gone: nobody handed it in, and nobody can go on with it. */
export function isListed({ state }: UploadDocument, view: UploadView): boolean {
  const { concat } = view.record ?? view.hot?.draft ?? {}
  return concat?.kind !== 'partial' || (concat.final === undefined && state !== 'cancelled' && state !== 'expired')
}

/** @param base public URL, without a slash at the end */
export function listedUpload(document: UploadDocument, view: UploadView, base: string): ListedUpload {
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
