// What happens to a submission, as one sequence without end: from the stream while there is one, else by asking.

import type { Connection } from './connection.ts'
import { SongnganError } from './error.ts'
import { type StreamMessage, streamParts } from './event-stream.ts'
import type { ExpandedSubmission, Progress, SongnganEvent } from './types.ts'
import { pause } from './waiting.ts'

/**
 * `snapshot`: the document, at the beginning, where missed events are not known any more, and after each change while there is no
 * stream. `progress` is not stored and never repeated. The rest are events; there may be new types: pass over those.
 */
export type SubmissionNews =
  | { type: 'snapshot'; document: ExpandedSubmission }
  | { type: 'progress'; progress: Progress }
  | SongnganEvent

type Way = 'stream' | 'polling'

export type EventOptions = {
  signal?: AbortSignal
  /** Continue after this event: the `id` of the last one that was worked through. */
  lastEventId?: string
  /** How often the document is asked for while there is no stream [5 s]; after twelve times a stream is tried again. */
  pollMs?: number
  /** A stream that brings nothing at all for so long at its beginning is held back on the way [10 s]. */
  patienceMs?: number
  /** Called when the way changes on which news come. */
  onWay?: (way: Way) => void
}

const RECONNECT_MS = 2000
/** So many streams in a row that bring nothing are no stream. */
const POLL_AFTER = 2
const POLLS = 12
/** Ids of events: what is sent twice is told once. */
const REMEMBERED = 2048

export async function* followEvents(
  connection: Connection,
  submissionId: string,
  options: EventOptions,
): AsyncGenerator<SubmissionNews, never, undefined> {
  const { signal, pollMs = 5000, patienceMs = 10_000 } = options
  const isNew = remembering()
  const goes = changing(options.onWay)
  const polled: Polled = { etag: undefined }
  let { lastEventId } = options
  let reconnectMs = RECONNECT_MS
  for (let failures = 0; ; ) {
    let waitMs: number | undefined
    failures++
    try {
      for await (const part of streamParts(connection, submissionId, { signal, lastEventId, patienceMs })) {
        failures = 0
        goes('stream')
        if ('retryMs' in part) reconnectMs = part.retryMs
        else {
          if (part.id !== undefined) lastEventId = part.id
          const news = newsIn(part)
          if (!('id' in news) || isNew(news.id)) yield news
        }
      }
    } catch (error) {
      waitMs = passingWait(error, signal)
    }
    if (failures < POLL_AFTER) await pause(waitMs ?? reconnectMs, signal)
    else {
      goes('polling')
      yield* poll(connection, submissionId, { signal, pollMs, polled })
    }
  }
}

type Polled = { etag: string | undefined }

/** The document as often as it has changed, for a while. */
async function* poll(
  connection: Connection,
  id: string,
  { signal, pollMs, polled }: { signal: AbortSignal | undefined; pollMs: number; polled: Polled },
): AsyncGenerator<SubmissionNews, void, undefined> {
  for (let left = POLLS; left > 0; left--) {
    let waitMs = pollMs
    try {
      const headers = polled.etag === undefined ? {} : { 'if-none-match': polled.etag }
      // What fails is asked for at the next turn.
      const given = { path: { id }, headers, isRepeatable: false, ...(signal === undefined ? {} : { signal }) }
      const { body, etag } = await connection.exchange('get', '/v1/submissions/{id}', given)
      if (body !== undefined) {
        polled.etag = etag ?? undefined
        yield { type: 'snapshot', document: body }
      }
    } catch (error) {
      waitMs = Math.max(pollMs, passingWait(error, signal) ?? 0)
    }
    await pause(waitMs, signal)
  }
}

/** How long the service asks to wait. Throws what will not pass, and the reason of an aborted signal. */
function passingWait(error: unknown, signal: AbortSignal | undefined): number | undefined {
  signal?.throwIfAborted()
  if (error instanceof SongnganError && error.isPassing) return error.retryAfterMs
  throw error
}

function newsIn({ event, data }: StreamMessage): SubmissionNews {
  const parsed = JSON.parse(data)
  if (event === 'snapshot') return { type: 'snapshot', document: parsed as ExpandedSubmission }
  if (event === 'progress') return { type: 'progress', progress: parsed as Progress }
  return parsed as SongnganEvent
}

/** Whether an id is seen for the first time. */
function remembering(): (id: string) => boolean {
  const told = new Set<string>()
  return (id) => {
    if (told.has(id)) return false
    told.add(id)
    const [oldest] = told
    if (told.size > REMEMBERED && oldest !== undefined) told.delete(oldest)
    return true
  }
}

function changing(onWay: EventOptions['onWay']): (now: Way) => void {
  let way: Way | undefined
  return (now) => {
    if (way !== now) onWay?.(now)
    way = now
  }
}
