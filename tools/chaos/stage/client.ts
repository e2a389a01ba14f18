// Clients: tus-js-client with the retries that pages have (examples/tus-js-client), and single requests that are repeated
// until they are answered.

import type { UploadOptions } from 'tus-js-client'
import { PATIENCE_MS, waitFor } from '../../../test/support/http.ts'
import { idOf } from '../../../test/support/tus.ts'
import { METADATA, type Sender, sendFile as sendByTusJs } from '../../../test/support/tus-js.ts'
import { API_KEY } from './stage.ts'

const RETRY_MS = 250

/** `done` gives the upload's id. */
export function sendFile(origin: string, ticket: string, bytes: Buffer, options: Partial<UploadOptions> = {}): Sender {
  const sender = sendByTusJs(origin, ticket, bytes, {
    metadataForPartialUploads: METADATA,
    retryDelays: Array.from({ length: PATIENCE_MS / RETRY_MS }, () => RETRY_MS),
    ...options,
  })
  const done = sender.done.then(idOf)
  // The result of an abandoned upload is not awaited.
  done.catch(() => undefined)
  return { ...sender, done }
}

export type Answer = { status: number; text: string; headers: Headers }

/** One request, repeated while there is no response or it says to try later. */
export async function insist(
  method: string,
  url: string,
  options: { token?: string; body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { token = API_KEY, body, headers = {} } = options
  return await waitFor(
    async () => {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        signal: AbortSignal.timeout(30_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (response.status >= 500 || response.status === 423) return undefined
      return { status: response.status, text, headers: response.headers }
    },
    { intervalMs: RETRY_MS, what: `${method} ${url} to be answered` },
  )
}

/** The same; throws unless the status is one of these. */
export async function insistOn(statuses: number[], ...request: Parameters<typeof insist>): Promise<Answer> {
  const answer = await insist(...request)
  if (!statuses.includes(answer.status))
    throw new Error(`${request[0]} ${request[1]} answered ${answer.status}: ${answer.text}`)
  return answer
}
