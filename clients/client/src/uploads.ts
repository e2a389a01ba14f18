// The calls about uploads: their documents, links to their files, their end.

import type { CallOptions, Connection } from './connection.ts'
import { everyItem } from './every-item.ts'
import type { Body, Links, Query, Upload, UploadList } from './types.ts'

const OF_SUBMISSION = '/v1/submissions/{id}/uploads'
const LINKS = '/v1/uploads/{id}/links'
type ListQuery = Query<typeof OF_SUBMISSION, 'get'>

export type UploadCalls = ReturnType<typeof uploadCalls>

export function uploadCalls(connection: Connection) {
  const list = async (submissionId: string, query: ListQuery = {}, options: CallOptions = {}): Promise<UploadList> =>
    await connection.call('get', OF_SUBMISSION, { path: { id: submissionId }, query, ...options })

  return {
    async get(id: string, options: CallOptions = {}): Promise<Upload> {
      return await connection.call('get', '/v1/uploads/{id}', { path: { id }, ...options })
    },

    /** One page of those of a submission, oldest first. */
    list,

    all: (submissionId: string, query: Omit<ListQuery, 'cursor'> = {}, options: CallOptions = {}) =>
      everyItem((cursor) => list(submissionId, cursor === undefined ? query : { ...query, cursor }, options)),

    /** Cancels and erases it, in any state. */
    async delete(id: string, options: CallOptions = {}): Promise<void> {
      await connection.call('delete', '/v1/uploads/{id}', { path: { id }, ...options })
    },

    /** Addresses for players and downloads, which need no other credentials. */
    async links(id: string, body: Body<typeof LINKS, 'post'> = {}, options: CallOptions = {}): Promise<Links> {
      return await connection.call('post', LINKS, { path: { id }, body, ...options })
    },
  }
}
