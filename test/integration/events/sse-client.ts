// A reader of server-sent events over real HTTP, with the parsing rules of WHATWG HTML 9.2.6 that matter here.

import { type IncomingMessage, request } from 'node:http'
import { waitFor } from '../../support/http.ts'

export type Received = { event: string; data: unknown; id: string }

export type SseClient = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly events: Received[]
  readonly comments: string[]
  readonly retryMs: number | undefined
  /** What a browser would send as Last-Event-ID. */
  readonly lastEventId: string
  readonly ended: boolean
  /** Waits until an event of this type has arrived, `count` times. */
  seen(event: string, count?: number): Promise<Received[]>
  /** Stops reading: what arrives stays in the buffers on the way. */
  pause(): void
  close(): void
}

/** Opens a stream; resolves with its headers. A refusal's body is in `events[0].data`. */
export function openSse(url: string, headers: Record<string, string> = {}): Promise<SseClient> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false })
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      outgoing.off('error', reject)
      outgoing.on('error', () => undefined) // closing on purpose resets the line
      resolve(read(response, () => outgoing.destroy()))
    })
    outgoing.end()
  })
}

function read(response: IncomingMessage, close: () => void): SseClient {
  const events: Received[] = []
  const comments: string[] = []
  let lastEventId = ''
  let retryMs: number | undefined
  let ended = false
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      const block = text.slice(0, at)
      text = text.slice(at + 2)
      let event = 'message'
      let data: string | undefined
      for (const line of block.split('\n')) {
        const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
        if (field === '') comments.push(value)
        else if (field === 'event') event = value
        else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`
        else if (field === 'id') lastEventId = value
        else if (field === 'retry') retryMs = Number(value)
      }
      if (data !== undefined) events.push({ event, data: JSON.parse(data), id: lastEventId })
    }
  })
  const end = () => {
    if (ended) return
    if (response.statusCode !== 200 && text !== '') events.push({ event: 'refusal', data: JSON.parse(text), id: '' })
    ended = true
  }
  response.on('end', end)
  response.on('close', end)
  response.on('error', () => undefined) // a line that was cut: `ended` tells
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    comments,
    get retryMs() {
      return retryMs
    },
    get lastEventId() {
      return lastEventId
    },
    get ended() {
      return ended
    },
    async seen(event, count = 1) {
      return await waitFor(
        () => {
          const found = events.filter((received) => received.event === event)
          return found.length >= count && found
        },
        { what: `${count} × ${event}, seen: ${events.map((received) => received.event).join(' ')}` },
      )
    },
    pause: () => void response.pause(),
    close,
  }
}
