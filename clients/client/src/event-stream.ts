// A stream of server-sent events (WHATWG HTML 9.2.6), read with `fetch`: EventSource sends no credentials in headers, and
// Node 20 has none.

import type { Connection } from './connection.ts'
import { errorIn, noAnswer, SongnganError } from './error.ts'
import { limited } from './waiting.ts'

export type StreamMessage = { event: string; data: string; id: string | undefined }
/** A message, or how long to wait before the next connection. */
export type StreamPart = StreamMessage | { retryMs: number }

type StreamOptions = {
  signal: AbortSignal | undefined
  lastEventId: string | undefined
  /** For the first bytes. */
  patienceMs: number
}

/** The service sends a sign of life every 15 s. */
const SILENCE_MS = 45_000

/** What comes through until the stream ends. Throws SongnganError, also where the connection breaks or falls silent. */
export async function* streamParts(
  connection: Connection,
  submissionId: string,
  { signal, lastEventId, patienceMs }: StreamOptions,
): AsyncGenerator<StreamPart, void, undefined> {
  const limit = limited(signal, patienceMs)
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  }
  try {
    const path = '/v1/submissions/{id}/events'
    const response = await connection.open(path, { id: submissionId }, headers, limit.signal)
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    // A page in the place of the stream, with status 200: of a proxy, or of the network's login.
    if (!isStream || response.body === null) throw await errorIn(new Response('', response))
    yield* partsIn(response.body, () => limit.extend(SILENCE_MS))
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof SongnganError ? error : noAnswer(error)
  } finally {
    // Also where the reader stops: nobody else ends the connection.
    limit.end()
  }
}

/** Half a message at the end was not received: it is dropped. */
async function* partsIn(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<StreamPart, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let unread = ''
  let fields: Fields = {}
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    onBytes()
    unread += decoder.decode(value, { stream: true })
    // A CR at the end may go on with LF.
    const lines = unread.split(/\r\n|\n|\r(?!$)/)
    unread = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') fields = withLine(fields, line)
      else {
        yield* partsOf(fields)
        fields = {}
      }
    }
  }
}

type Fields = { event?: string; data?: string; id?: string; retryMs?: number }

function withLine(fields: Fields, line: string): Fields {
  const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
  switch (name) {
    case 'event':
      return { ...fields, event: value }
    case 'data':
      return { ...fields, data: fields.data === undefined ? value : `${fields.data}\n${value}` }
    case 'id':
      return { ...fields, id: value }
    case 'retry':
      return /^\d+$/.test(value) ? { ...fields, retryMs: Number(value) } : fields
    default:
      return fields // a comment, or a field of a later standard
  }
}

function* partsOf({ event = 'message', data, id, retryMs }: Fields): Generator<StreamPart> {
  if (retryMs !== undefined) yield { retryMs }
  if (data !== undefined) yield { event, data, id }
}
