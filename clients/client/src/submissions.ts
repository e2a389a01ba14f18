// The calls about a submission: from its creation to its closing.

import type { CallOptions, Connection } from './connection.ts'
import { everyItem } from './every-item.ts'
import type { Body, ExpandedSubmission, Query, Review, Submission, SubmissionBody, SubmissionList } from './types.ts'

const ONE = '/v1/submissions/{id}'
const SEAL = '/v1/submissions/{id}/seal'
const CLOSE = '/v1/submissions/{id}/close'

/** `ifMatch`: only while the document is the one with this ETag (`etagOf`); else `PRECONDITION_FAILED`. */
export type ChangeOptions = CallOptions & { ifMatch?: string | undefined }
/** `onlyCreate`: `PRECONDITION_FAILED` if there is one. */
export type PutOptions = ChangeOptions & { onlyCreate?: boolean }
type ListQuery = Query<'/v1/submissions', 'get'>

const etags = new WeakMap<object, string>()

/** The ETag of a document that `submissions` gave, for `ifMatch`. */
export function etagOf(document: object): string | undefined {
  return etags.get(document)
}

export type SubmissionCalls = ReturnType<typeof submissionCalls>

export function submissionCalls(connection: Connection) {
  const noted = async <T extends object>(exchanged: Promise<{ body: T | undefined; etag: string | null }>) => {
    const { body, etag } = await exchanged
    if (body === undefined) throw new TypeError('a document was expected')
    if (etag !== null) etags.set(body, etag)
    return body
  }
  const list = async (query: ListQuery = {}, options: CallOptions = {}): Promise<SubmissionList> =>
    await connection.call('get', '/v1/submissions', { query, ...options })

  return {
    /** Creates or updates: `body` replaces all that the portal said before. Repeating it changes nothing. */
    async put(id: string, body: SubmissionBody, options: PutOptions = {}): Promise<Submission> {
      const { ifMatch, onlyCreate = false, ...rest } = options
      const headers = { ...condition(ifMatch), ...(onlyCreate ? { 'if-none-match': '*' } : {}) }
      // After an answer that was lost, its repeat would be refused because of the first one.
      const isRepeatable = Object.keys(headers).length === 0
      return await noted(connection.exchange('put', ONE, { path: { id }, body, headers, isRepeatable, ...rest }))
    },

    /** `expand: 'uploads'`: with the documents of its uploads, 200 at most; `uploadsCursor` continues in `uploads.list`. */
    async get(id: string, options: CallOptions & { expand?: 'uploads' } = {}): Promise<ExpandedSubmission> {
      const { expand, ...rest } = options
      const query = expand === undefined ? {} : { expand }
      return await noted(connection.exchange('get', ONE, { path: { id }, query, ...rest }))
    },

    /** One page, in the order of the last change. */
    list,

    /** All of them, page by page while they are read. */
    all: (query: Omit<ListQuery, 'cursor'> = {}, options: CallOptions = {}) =>
      everyItem((cursor) => list(cursor === undefined ? query : { ...query, cursor }, options)),

    /** Deletes it and all its files. */
    async delete(id: string, options: CallOptions = {}): Promise<void> {
      await connection.call('delete', ONE, { path: { id }, ...options })
    },

    /** The metadata fields of a slot. */
    async setSlotMetadata(
      id: string,
      slot: string,
      metadata: Body<'/v1/submissions/{id}/slots/{slot}', 'patch'>['metadata'],
      options: ChangeOptions = {},
    ): Promise<Submission> {
      const { ifMatch, ...rest } = options
      const given = { path: { id, slot }, body: { metadata }, headers: condition(ifMatch), ...rest }
      return await connection.call('patch', '/v1/submissions/{id}/slots/{slot}', {
        ...given,
        isRepeatable: ifMatch === undefined,
      })
    },

    /** Hands it in. `whenComplete`: also while verdicts are pending; it is sealed when they are there. */
    async seal(id: string, body: Body<typeof SEAL, 'post'> = {}, options: CallOptions = {}): Promise<Submission> {
      return await noted(connection.exchange('post', SEAL, { path: { id }, body, ...options }))
    },

    /** Takes back a seal that still waits for verdicts. */
    async withdrawSeal(id: string, options: CallOptions = {}): Promise<Submission> {
      return await connection.call('delete', SEAL, { path: { id }, ...options })
    },

    /** Opens the next revision. Never repeated by itself: the second would be refused. */
    async return(
      id: string,
      body: Body<'/v1/submissions/{id}/return', 'post'>,
      options: CallOptions = {},
    ): Promise<Submission> {
      const given = { path: { id }, body, isRepeatable: false, ...options }
      return await noted(connection.exchange('post', '/v1/submissions/{id}/return', given))
    },

    /** After the decision: until when its files are kept. */
    async close(id: string, body: Body<typeof CLOSE, 'post'>, options: CallOptions = {}): Promise<Submission> {
      return await noted(connection.exchange('post', CLOSE, { path: { id }, body, ...options }))
    },

    /** Withdraws the closing. */
    async reopen(id: string, options: CallOptions = {}): Promise<Submission> {
      return await connection.call('delete', CLOSE, { path: { id }, ...options })
    },

    /** What only reviewers are told. */
    async review(id: string, options: CallOptions = {}): Promise<Review> {
      return await connection.call('get', '/v1/submissions/{id}/review', { path: { id }, ...options })
    },
  }
}

function condition(ifMatch: string | undefined): Record<string, string> {
  return ifMatch === undefined ? {} : { 'if-match': ifMatch }
}
