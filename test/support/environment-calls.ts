// A portal's calls of an environment, and people with tickets.

import type { FastifyInstance } from 'fastify'
import { waitFor } from './http.ts'
import { INTAKE } from './profiles.ts'
import { type TusUser, tusUser } from './tus.ts'

export const PORTAL_KEY = 'portal-secret-0123456789'
export const OTHER_KEY = 'other-secret-0123456789'

type Body = Record<string, unknown> & { code?: string; message?: { th: string; en: string } }
export type Answer = { status: number; headers: Record<string, unknown>; body: Body; text: string }
type CallOptions = { body?: unknown; token?: string | null | undefined; headers?: Record<string, string> }

/** @param url where the app listens; empty: nowhere */
export function portalCalls(app: FastifyInstance, url: string) {
  let submissions = 0

  /** Any call, refusals included, with the portal's key unless another token or none (null) is given. */
  const call = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const { body, token = PORTAL_KEY, headers = {} } = options
    const response = await app.inject({
      method: method as 'GET',
      url: path,
      ...(url === '' ? {} : { authority: new URL(url).host }),
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    })
    const text = response.body
    const json = /json/.test(String(response.headers['content-type'])) && text !== ''
    return {
      status: response.statusCode,
      headers: response.headers,
      body: json ? (JSON.parse(text) as Body) : {},
      text,
    }
  }

  const expected = (answer: Answer, what: string, ...statuses: number[]): Answer => {
    if (!statuses.includes(answer.status)) throw new Error(`${what}: ${answer.status} ${answer.text}`)
    return answer
  }

  /** PUT of a submission. */
  const put = async (id: string, body: Record<string, unknown> = {}, token = PORTAL_KEY): Promise<Answer> => {
    const options = { body: { profile: 'tiny@1', ...body }, token }
    // As portals do: a store that is busy for a moment is asked again.
    const answer = await waitFor(async () => {
      const given = await call('PUT', `/v1/submissions/${id}`, options)
      return given.status === 503 ? undefined : given
    })
    return expected(answer, `PUT ${id}`, 200, 201)
  }

  /** A new submission; its id. */
  const submission = async (change: Record<string, unknown> = {}): Promise<string> => {
    const id = `s-${process.pid}-${Date.now()}-${++submissions}`
    await put(id, { profile: INTAKE, ...change })
    return id
  }

  /** A ticket for a slot of a submission. */
  const ticket = async (id: string, slot: string, more: Record<string, unknown> = {}): Promise<string> => {
    const answer = await call('POST', `/v1/submissions/${id}/tickets`, { body: { slot, ...more } })
    return String(expected(answer, `ticket for ${id}`, 201).body['ticket'])
  }

  return {
    call,
    put,
    submission,
    ticket,

    /** A session's token. */
    async session(id: string, body: Record<string, unknown> = {}): Promise<string> {
      const answer = await call('POST', `/v1/submissions/${id}/sessions`, { body })
      return String(expected(answer, `session for ${id}`, 201).body['token'])
    },

    /** Somebody who may upload into a slot of a submission of his own. */
    user: async (slot: string, more: Record<string, unknown> = {}): Promise<TusUser> =>
      tusUser(url, await ticket(await submission(), slot, more)),
  }
}
