// The client: the calls of the API in groups, and the events.

import { type AttemptCalls, attemptCalls } from './attempts.ts'
import { type CallOptions, Connection, type ConnectOptions } from './connection.ts'
import { type EventOptions, followEvents, type SubmissionNews } from './events.ts'
import { type ReceiptCalls, receiptCalls } from './receipts.ts'
import { type SessionCalls, sessionCalls, type TicketCalls, ticketCalls } from './sessions.ts'
import { type SubmissionCalls, submissionCalls } from './submissions.ts'
import type { EventPage, Profile, ProfileList, ServiceStatus } from './types.ts'
import { type UploadCalls, uploadCalls } from './uploads.ts'

export type { components, operations, paths, webhooks } from './api-types.ts'
export { type Problem, SongnganError } from './error.ts'
export { etagOf } from './submissions.ts'
export type * from './types.ts'
export { verifyWebhook, type WebhookHeaders, type WebhookOptions } from './webhooks.ts'
export type {
  AttemptCalls,
  CallOptions,
  ConnectOptions,
  EventOptions,
  ReceiptCalls,
  SessionCalls,
  SubmissionCalls,
  SubmissionNews,
  TicketCalls,
  UploadCalls,
}

export class Songngan {
  readonly submissions: SubmissionCalls
  readonly uploads: UploadCalls
  readonly tickets: TicketCalls
  readonly sessions: SessionCalls
  readonly receipts: ReceiptCalls
  readonly attempts: AttemptCalls
  readonly #connection: Connection

  constructor(options: ConnectOptions) {
    const connection = new Connection(options)
    this.#connection = connection
    this.submissions = submissionCalls(connection)
    this.uploads = uploadCalls(connection)
    this.tickets = ticketCalls(connection)
    this.sessions = sessionCalls(connection)
    this.receipts = receiptCalls(connection)
    this.attempts = attemptCalls(connection)
  }

  /**
   * What happens to a submission, for as long as it is read: its document first, then every event, and progress in between.
   * A connection that is cut is opened again and continues where it was. While no stream comes through, the document is
   * asked for every few seconds.
   */
  events(submissionId: string, options: EventOptions = {}): AsyncGenerator<SubmissionNews, never, undefined> {
    return followEvents(this.#connection, submissionId, options)
  }

  /** The portal's events of the last seven days, page by page: keep `nextCursor`, and give it as `after` next time. */
  async eventLog(query: { after?: string; limit?: number } = {}, options: CallOptions = {}): Promise<EventPage> {
    return (await this.#connection.call('get', '/v1/events', { query, ...options })) as EventPage
  }

  /** Whether files are taken now, and the outages of the last days. Needs no token. */
  async status(options: CallOptions = {}): Promise<ServiceStatus> {
    return await this.#connection.call('get', '/v1/status', { ...options })
  }

  async profiles(options: CallOptions = {}): Promise<ProfileList> {
    return await this.#connection.call('get', '/v1/profiles', { ...options })
  }

  /** `teacher.K4` is its newest version, `teacher.K4@1` exactly that one. */
  async profile(id: string, options: CallOptions = {}): Promise<Profile> {
    return await this.#connection.call('get', '/v1/profiles/{id}', { path: { id }, ...options })
  }
}
