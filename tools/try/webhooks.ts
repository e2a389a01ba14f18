// A portal's webhook endpoint on this machine: accepts only deliveries signed with the secret.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { EventBody } from '../../src/records/event-body.ts'

const MAX_BODY_BYTES = 1024 * 1024

export type WebhookReceiver = {
  url: string
  /** Verified, each event once, in the order of arrival. */
  events: EventBody[]
  /** Why deliveries were refused. */
  refused: string[]
  /** Repeated deliveries of an event, which at-least-once delivery allows. */
  repeats: number
  close(): Promise<void>
}

export async function receiveWebhooks(secret: string, onEvent: () => void): Promise<WebhookReceiver> {
  const webhook = new Webhook(secret)
  const seen = new Set<string>()
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    let event: EventBody
    try {
      event = webhook.verify(body, request.headers as Record<string, string>) as EventBody
    } catch (error) {
      receiver.refused.push(error instanceof Error ? error.message : String(error))
      response.writeHead(401).end()
      return
    }
    if (seen.has(event.id)) receiver.repeats += 1
    else receiver.events.push(event)
    seen.add(event.id)
    response.writeHead(204).end()
    onEvent()
  }
  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) => {
      receiver.refused.push(error instanceof Error ? error.message : String(error))
      request.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${port}/webhooks`,
    events: [],
    refused: [],
    repeats: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BODY_BYTES) throw new Error('a webhook is larger than one MiB')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
