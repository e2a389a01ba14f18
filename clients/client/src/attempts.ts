// Attempts to create uploads: the evidence that somebody tried in time.

import type { CallOptions, Connection } from './connection.ts'
import { everyItem } from './every-item.ts'
import type { AttemptList, ClaimedAttempts, FiledAttempts, Query } from './types.ts'

const ATTEMPTS = '/v1/submissions/{id}/attempts'
type ListQuery = Query<typeof ATTEMPTS, 'get'>

export type AttemptCalls = ReturnType<typeof attemptCalls>

export function attemptCalls(connection: Connection) {
  const list = async (submissionId: string, query: ListQuery = {}, options: CallOptions = {}): Promise<AttemptList> =>
    await connection.call('get', ATTEMPTS, { path: { id: submissionId }, query, ...options })

  return {
    /** One page, oldest first, refused ones too. */
    list,

    all: (submissionId: string, query: Omit<ListQuery, 'cursor'> = {}, options: CallOptions = {}) =>
      everyItem((cursor) => list(submissionId, cursor === undefined ? query : { ...query, cursor }, options)),

    /** Files later what a page tried while it reached nobody. Filing the same again changes nothing. */
    async file(
      submissionId: string,
      attempts: ClaimedAttempts['attempts'],
      options: CallOptions = {},
    ): Promise<FiledAttempts> {
      return await connection.call('post', ATTEMPTS, { path: { id: submissionId }, body: { attempts }, ...options })
    },
  }
}
