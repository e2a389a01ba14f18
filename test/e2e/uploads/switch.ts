// A balancer of one page: every new connection goes to the first of several places that takes one, and what passes is
// counted. Slow enough, when asked, that something can happen in the middle of an upload.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Switch = {
  readonly url: string
  /** Bytes that were passed on to services. */
  receivedBytes(): number
  /** Resets every open connection. */
  cut(): void
  stop(): Promise<void>
}

export async function startSwitch(urls: string[], options: { bytesPerSecond?: number } = {}): Promise<Switch> {
  const places = urls.map((url) => Number(new URL(url).port))
  let received = 0
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: false }, (client) => {
    open.add(client)
    client.on('close', () => open.delete(client))
    client.on('error', () => undefined) // told by the close that follows
    client.pause()
    void reach(places).then((service) => {
      if (service === undefined || client.destroyed) {
        service?.destroy()
        client.resetAndDestroy()
        return
      }
      const end = () => {
        client.destroy()
        service.destroy()
      }
      service.on('error', end)
      service.on('close', () => client.end())
      client.on('close', () => service.destroy())
      client.on('data', (chunk: Buffer) => {
        received += chunk.length
        const more = service.write(chunk)
        const pauseMs = options.bytesPerSecond === undefined ? 0 : (chunk.length / options.bytesPerSecond) * 1000
        if (more && pauseMs < 1) return
        client.pause()
        const drained = more ? Promise.resolve() : once(service, 'drain')
        const timed = new Promise((resolve) => setTimeout(resolve, pauseMs))
        void Promise.allSettled([drained, timed]).then(() => client.resume())
      })
      service.pipe(client)
      client.resume()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the switch has no port')
  const cut = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    receivedBytes: () => received,
    cut,
    async stop() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

async function reach(places: number[]): Promise<Socket | undefined> {
  for (const port of places) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const reached = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (reached) return socket
  }
  return undefined
}
