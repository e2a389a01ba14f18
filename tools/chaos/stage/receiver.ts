// The portal's end of the webhooks: keeps what came, and when.

import { once } from 'node:events'
import { createServer } from 'node:http'

export type Delivery = { id: string; body: string; atMs: number }

export type Receiver = { url: string; deliveries: readonly Delivery[]; stop(): Promise<void> }

export async function startReceiver(): Promise<Receiver> {
  const deliveries: Delivery[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const id = String(request.headers['webhook-id'])
      deliveries.push({ id, body: Buffer.concat(chunks).toString(), atMs: Date.now() })
      response.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    deliveries,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
