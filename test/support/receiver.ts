// A portal's webhook endpoint over real HTTP, which checks signatures with the published library.

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { Webhook } from 'standardwebhooks'

export type Delivery = { id: string; path: string; headers: IncomingHttpHeaders; body: string; atMs: number }
export type Reply = {
  status: number
  headers?: Record<string, string>
  /** `endless`: it goes on for as long as somebody reads. */
  body?: 'endless'
}

export type Receiver = {
  readonly url: string
  readonly port: number
  readonly deliveries: Delivery[]
  /** What is answered, until set anew; a promise that never settles is a receiver that hangs. */
  reply: (delivery: Delivery, count: number) => Reply | Promise<Reply>
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const deliveries: Delivery[] = []
  const receiver: Receiver = {
    url: '',
    port: 0,
    deliveries,
    reply: () => ({ status: 204 }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', async () => {
      const { url: path = '', headers: received } = request
      const delivery = { id: String(received['webhook-id']), path, headers: received, body, atMs: Date.now() }
      deliveries.push(delivery)
      const { status, headers, body: text } = await receiver.reply(delivery, deliveries.length)
      response.writeHead(status, headers)
      if (text === undefined) response.end()
      else Readable.from(endless()).pipe(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, { port, url: `http://127.0.0.1:${port}` })
}

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024)
}

/** Throws where the signature does not fit the secret; gives the parsed body. */
export function verify({ headers, body }: Delivery, secret: string): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>)
}
