// The load balancer in front of the services: TCP, round robin, skips a service that refuses connections.
// It is a process of its own; messages tell it to cut all connections, or to make all of them half-open.

import { connect, createServer, type Socket } from 'node:net'

export type FrontOrder =
  | { kind: 'listen'; targets: number[] }
  /** Resets every connection on both sides. */
  | { kind: 'cut' }

export type FromFront = { kind: 'listening'; port: number } | { kind: 'cut'; connections: number }

const TRIES = 20
const TRY_AGAIN_MS = 100

const pairs = new Set<() => void>()
let targets: number[] = []
let next = 0

function tell(message: FromFront): void {
  process.send?.(message)
}

/** Round robin; skips a port that refuses; if all refuse, retries for two seconds. */
function reach(tries: number, whenDone: (upstream: Socket | undefined) => void): void {
  const port = targets[next++ % targets.length] ?? 0
  const upstream = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  const failed = () => {
    if (tries <= 1) return whenDone(undefined)
    const pauseMs = tries % targets.length === 0 ? TRY_AGAIN_MS : 0
    setTimeout(() => reach(tries - 1, whenDone), pauseMs)
  }
  upstream.once('error', failed)
  upstream.once('connect', () => {
    upstream.off('error', failed)
    whenDone(upstream)
  })
}

function join(client: Socket, upstream: Socket): void {
  const cut = () => {
    pairs.delete(cut)
    client.resetAndDestroy()
    upstream.resetAndDestroy()
  }
  pairs.add(cut)
  for (const socket of [client, upstream]) {
    socket.on('error', cut)
    socket.once('close', () => {
      if (client.destroyed && upstream.destroyed) pairs.delete(cut)
    })
  }
  client.pipe(upstream)
  upstream.pipe(client)
}

const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
  const early = () => {} // the client disconnected before a service was found; checked below
  client.on('error', early)
  reach(TRIES, (upstream) => {
    client.off('error', early)
    if (upstream === undefined || client.destroyed) {
      client.on('error', early)
      client.resetAndDestroy()
      upstream?.destroy()
      return
    }
    join(client, upstream)
    client.resume()
  })
})

process.on('message', (message) => {
  const order = message as FrontOrder
  if (order.kind === 'cut') {
    const all = [...pairs]
    for (const cut of all) cut()
    tell({ kind: 'cut', connections: all.length })
    return
  }
  targets = order.targets
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') tell({ kind: 'listening', port: address.port })
  })
})
process.once('disconnect', () => process.exit())
