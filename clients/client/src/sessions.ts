// What browsers are given: tickets for one slot, and sessions for one submission.

import type { CallOptions, Connection } from './connection.ts'
import type { Body, Session, Ticket } from './types.ts'

const TICKETS = '/v1/submissions/{id}/tickets'
const SESSIONS = '/v1/submissions/{id}/sessions'

export type TicketCalls = ReturnType<typeof ticketCalls>

export function ticketCalls(connection: Connection) {
  return {
    /** Permission to create uploads in one slot. Refused at once where an upload would be. */
    async create(submissionId: string, body: Body<typeof TICKETS, 'post'>, options: CallOptions = {}): Promise<Ticket> {
      return await connection.call('post', TICKETS, { path: { id: submissionId }, body, ...options })
    },
  }
}

export type SessionCalls = ReturnType<typeof sessionCalls>

export function sessionCalls(connection: Connection) {
  return {
    /** `can` says what the browser may do; `url` opens the service's own page. */
    async create(
      submissionId: string,
      body: Body<typeof SESSIONS, 'post'> = {},
      options: CallOptions = {},
    ): Promise<Session> {
      return await connection.call('post', SESSIONS, { path: { id: submissionId }, body, ...options })
    },

    /** Ends one session, with the tickets and links that it asked for. */
    async revoke(submissionId: string, sessionId: string, options: CallOptions = {}): Promise<void> {
      const path = { id: submissionId, sid: sessionId }
      await connection.call('delete', '/v1/submissions/{id}/sessions/{sid}', { path, ...options })
    },

    /** Ends all sessions and tickets of a person in this submission. */
    async revokeOf(submissionId: string, subject: string, options: CallOptions = {}): Promise<void> {
      await connection.call('delete', SESSIONS, { path: { id: submissionId }, query: { subject }, ...options })
    },

    /** Ends all sessions and tickets of this submission. */
    async revokeAll(submissionId: string, options: CallOptions = {}): Promise<void> {
      await connection.call('delete', SESSIONS, { path: { id: submissionId }, ...options })
    },
  }
}
