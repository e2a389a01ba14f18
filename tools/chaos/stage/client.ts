// Who hands files in: tus-js-client with the patience that a page is told to have, and single calls that are repeated
// until somebody answers.

import { Upload, type UploadOptions } from 'tus-js-client'
import { waitFor } from '../../../test/support/http.ts'
import { API_KEY } from './stage.ts'

/** A whole row must be through by then. */
const PATIENCE_MS = 60_000
const RETRY_MS = 250

export type Sender = {
  /** Resolves with the upload's id; rejects when the client gives up. */
  readonly done: Promise<string>
  url(): string | undefined
  /** Resolves when so many bytes were handed to the connection. */
  sent(bytes: number): Promise<void>
  /** Stops without telling the server. */
  abandon(): Promise<void>
}

/** Sends `bytes` to the tus endpoint of `origin`. */
export function sendFile(
  origin: string,
  ticket: string,
  bytes: Buffer,
  options: Partial<UploadOptions> = {},
): Sender {
  let sent = 0
  let upload: Upload | undefined
  const done = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${sent} of ${bytes.length} sent in time`)), PATIENCE_MS)
    upload = new Upload(bytes, {
      endpoint: `${origin}/files`,
      headers: { Authorization: `Bearer ${ticket}` },
      metadata: { filename: 'การสอน.mp4', filetype: 'video/mp4' },
      metadataForPartialUploads: { filename: 'การสอน.mp4', filetype: 'video/mp4' },
      storeFingerprintForResuming: false,
      retryDelays: Array.from({ length: PATIENCE_MS / RETRY_MS }, () => RETRY_MS),
      onProgress: (value) => {
        sent = value
      },
      onSuccess: () => {
        clearTimeout(timer)
        resolve(idOf(upload?.url ?? ''))
      },
      onError: (error) => {
        clearTimeout(timer)
        reject(error)
      },
      ...options,
    })
    upload.start()
  })
  // One that is abandoned is looked at by nobody.
  done.catch(() => undefined)
  return {
    done,
    url: () => upload?.url ?? undefined,
    sent: async (wanted) => {
      await Promise.race([
        waitFor(() => sent >= wanted, { timeoutMs: PATIENCE_MS, what: `${wanted} bytes to be sent` }),
        done,
      ])
    },
    abandon: async () => await upload?.abort(),
  }
}

export function idOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1)
}

export type Answer = { status: number; text: string; headers: Headers }

/** One request, again while nobody answers or the answer says to try later. */
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
    { timeoutMs: PATIENCE_MS, intervalMs: RETRY_MS, what: `${method} ${url} to be answered` },
  )
}

/** The same, where only these answers are right. */
export async function insistOn(statuses: number[], ...request: Parameters<typeof insist>): Promise<Answer> {
  const answer = await insist(...request)
  if (!statuses.includes(answer.status))
    throw new Error(`${request[0]} ${request[1]} answered ${answer.status}: ${answer.text}`)
  return answer
}
