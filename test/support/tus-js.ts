// tus-js-client as a page uses it, with what a test wants to know of it.

import { Upload, type UploadOptions } from 'tus-js-client'
import { PATIENCE_MS, waitFor } from './http.ts'

export const METADATA = { filename: 'การสอน.mp4', filetype: 'video/mp4' }

export type Sender = {
  /** Resolves with the upload's address when the client calls it a success; rejects when it gives up. */
  readonly done: Promise<string>
  /** The address, once the server has given one. */
  url(): string | undefined
  /** Methods and answers of all requests so far: `POST 201`; `PATCH -` where none came. */
  requests(): string[]
  /** The last offset that the server acknowledged in any answer. */
  acknowledged(): number
  /** Resolves when the client has handed so many bytes to its connection. */
  sent(bytes: number): Promise<void>
  /** Stops without telling the server, as a closed page does. */
  abandon(): Promise<void>
}

export type Source = ConstructorParameters<typeof Upload>[0]

/** Starts an upload of `source`, or goes on with the one at `options.uploadUrl`. `ticket` null: nobody asks for one. */
export function sendFile(
  origin: string,
  ticket: string | null,
  source: Source,
  options: Partial<UploadOptions> = {},
): Sender {
  const requests: string[] = []
  let acknowledged = 0
  let sent = 0
  let settle: { resolve: (url: string) => void; reject: (error: Error) => void } | undefined
  let timer: NodeJS.Timeout | undefined
  const done = new Promise<string>((resolve, reject) => {
    settle = { resolve, reject }
    timer = setTimeout(() => reject(new Error(`not done, ${sent} bytes sent: ${requests.join(', ')}`)), PATIENCE_MS)
  }).finally(() => clearTimeout(timer))
  // A test that abandons a client does not look at its end.
  done.catch(() => undefined)
  const upload = new Upload(source, {
    endpoint: `${origin}/files`,
    headers: ticket === null ? {} : { Authorization: `Bearer ${ticket}` },
    metadata: METADATA,
    storeFingerprintForResuming: false,
    onProgress: (value) => {
      sent = value
    },
    onAfterResponse: (request, response) => {
      requests.push(`${request.getMethod()} ${response.getStatus()}`)
      acknowledged = Math.max(acknowledged, Number(response.getHeader('Upload-Offset') ?? 0))
    },
    onSuccess: () => settle?.resolve(upload.url ?? ''),
    onError: (error) => settle?.reject(error),
    ...options,
  })
  upload.start()
  return {
    done,
    url: () => upload.url ?? undefined,
    requests: () => requests,
    acknowledged: () => acknowledged,
    sent: async (wanted) => {
      // A fast store may have it all before a progress event tells of it.
      await Promise.race([waitFor(() => sent >= wanted, { what: `${wanted} bytes to be sent` }), done])
    },
    abandon: () => upload.abort(),
  }
}
