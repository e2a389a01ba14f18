// Follows a submission's server-sent events.

import type { Portal } from '../lib/portal.ts'

export type StreamEvent = { type: string; data: unknown }

/** Splits a stream of text into events (WHATWG HTML, 9.2.6); comments and ids are not needed here. */
export async function* readEvents(text: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  let rest = ''
  for await (const piece of text) {
    rest += piece
    for (let at = rest.indexOf('\n\n'); at >= 0; at = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, at).split('\n')
      rest = rest.slice(at + 2)
      const of = (field: string) =>
        lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).trimStart())
      const data = of('data').join('\n')
      if (data !== '') yield { type: of('event')[0] ?? 'message', data: JSON.parse(data) }
    }
  }
}

/** A browser's pause before it opens a stream again. */
const REOPEN_MS = 1000

export type Listener = { onEvent: (event: StreamEvent) => void; onLost: (reason: string) => void }

/**
 * Calls the listener for every event until `signal` aborts; a stream that ends is opened again, as in a browser.
 * Resolves when the first one is open.
 */
export async function followSubmission(
  portal: Portal,
  submissionId: string,
  { onEvent, onLost }: Listener,
  signal: AbortSignal,
): Promise<void> {
  const first = await portal.eventStream(submissionId, signal)
  const follow = async () => {
    let response: Response | undefined = first
    while (!signal.aborted) {
      try {
        response ??= await portal.eventStream(submissionId, signal)
        await read(response, onEvent, signal)
        onLost('the service ended the event stream')
      } catch (error) {
        if (!signal.aborted) onLost(error instanceof Error ? error.message : String(error))
      }
      response = undefined
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS))
    }
  }
  void follow()
}

/** The signal of `fetch` alone does not always end a body that is being read, and the process would wait for it. */
async function read(response: Response, onEvent: Listener['onEvent'], signal: AbortSignal): Promise<void> {
  if (response.body === null) return
  const text = response.body.pipeThrough(new TextDecoderStream(), { signal })
  for await (const event of readEvents(text as AsyncIterable<string>)) onEvent(event)
}
