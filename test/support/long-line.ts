// A line with a long way: every byte arrives so much later, however many are on their way. In contrast to the delay of
// proxy.ts, which holds a chunk back before it takes the next one, it costs no throughput by itself: what slows a sender
// down on it is only what waits for answers.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type LongLine = { readonly port: number; stop(): Promise<void> }

/** To a port of this host. `roundTripMs`: there and back again. */
export async function startLongLine(targetPort: number, roundTripMs: number): Promise<LongLine> {
  const sockets = new Set<Socket>()
  // Timers of one length fire in the order in which they were set.
  const later = (work: () => void) => setTimeout(work, roundTripMs / 2)
  const carry = (from: Socket, to: Socket) => {
    sockets.add(from)
    from.on('data', (chunk: Buffer) => later(() => void to.write(chunk)))
    from.on('end', () => later(() => void to.end()))
    from.on('error', () => later(() => void to.destroy()))
    from.on('close', () => sockets.delete(from))
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true })
    carry(client, target)
    carry(target, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the line has no port')
  return {
    port: address.port,
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
