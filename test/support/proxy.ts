// A TCP proxy that misbehaves on demand, to stand in front of Redis, S3 or the service.
// It knows no protocol; `http-proxy.ts` is the one that understands requests and counts S3 calls.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export { type Call, type Fault, type HttpProxy, startHttpProxy } from './http-proxy.ts'

export type Rules = {
  /** Every chunk, in both directions, arrives this much later. */
  delayMs: number
  /** Speed of each connection towards the target; 0: unlimited. */
  bytesPerSecond: number
  /** A pulled cable: nothing is forwarded in either direction, not even the end of a connection; all stay open. */
  halfOpen: boolean
  /** New connections are reset at once. */
  refuse: boolean
}

export type TcpProxy = {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The target's URL with the proxy's host and port; `http://…` for a target given as host and port. */
  readonly url: string
  /** Changes some rules, for running connections too. */
  set(rules: Partial<Rules>): void
  /** Back to an honest proxy. */
  reset(): void
  /** New connections go to another port of this host; open ones stay where they are, as behind a moved address. */
  aim(port: number): void
  /** Resets all open connections; returns how many. */
  cut(): number
  /** Ends all open connections towards the target in the middle of what was being sent, as the kernel of a killed process does. */
  hangUp(): void
  connections(): number
  /** Bytes that reached the target so far, over all connections. */
  sentBytes(): number
  stop(): Promise<void>
}

const HONEST: Rules = { delayMs: 0, bytesPerSecond: 0, halfOpen: false, refuse: false }
// Small enough that a throttled connection moves evenly: ten slices a second, at least one byte each.
const SLICES_PER_SECOND = 10

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** `target`: a URL with a port (`redis://127.0.0.1:6379`) or a place. */
export async function startTcpProxy(target: string | { host: string; port: number }): Promise<TcpProxy> {
  const url = typeof target === 'string' ? new URL(target) : new URL(`http://${target.host}:${target.port}`)
  const place = { host: url.hostname, port: Number(url.port) }
  let rules = { ...HONEST }
  let sent = 0
  const pairs = new Set<{ client: Socket; upstream: Socket }>()
  let wake: Array<() => void> = []

  const change = (next: Rules) => {
    rules = next
    const waiting = wake
    wake = []
    for (const go of waiting) go()
  }
  const cableIsPlugged = async () => {
    while (rules.halfOpen) await new Promise<void>((resolve) => wake.push(resolve))
  }
  const write = async (to: Socket, chunk: Buffer) => {
    if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
  }

  const pump = async (from: Socket, to: Socket, towardsTarget: boolean) => {
    // not `for await (… of from)`: that destroys the socket at its end, and the other direction may still run
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (rules.delayMs > 0) await pause(rules.delayMs)
      for (let at = 0; at < chunk.length; ) {
        await cableIsPlugged()
        const limit = towardsTarget ? rules.bytesPerSecond : 0
        const slice = chunk.subarray(at, limit > 0 ? at + Math.max(1, limit / SLICES_PER_SECOND) : undefined)
        if (limit > 0) await pause((slice.length / limit) * 1_000)
        await cableIsPlugged() // it may have been pulled meanwhile
        if (to.destroyed) throw new Error('the other side is gone')
        await write(to, slice)
        at += slice.length
        if (towardsTarget) sent += slice.length
      }
    }
    await cableIsPlugged()
    to.end()
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (rules.refuse) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ ...place, allowHalfOpen: true, noDelay: true })
    const pair = { client, upstream }
    pairs.add(pair)
    const joined = async (from: Socket, to: Socket, towardsTarget: boolean) => {
      try {
        await pump(from, to, towardsTarget)
      } catch {
        // One side was reset: so is the other, once the cable lets it know.
        await cableIsPlugged()
        from.resetAndDestroy()
        to.resetAndDestroy()
      }
    }
    client.on('error', () => {}) // told by the pump, which reads the same socket
    upstream.on('error', () => {})
    void Promise.all([joined(client, upstream, true), joined(upstream, client, false)]).then(() => pairs.delete(pair))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  url.host = `127.0.0.1:${address.port}`

  const cut = () => {
    const count = pairs.size
    for (const { client, upstream } of pairs) {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    pairs.clear()
    return count
  }
  return {
    host: '127.0.0.1',
    port: address.port,
    url: url.href.replace(/\/$/, ''),
    set: (some) => change({ ...rules, ...some }),
    reset: () => change({ ...HONEST }),
    aim(port) {
      place.port = port
    },
    cut,
    hangUp() {
      for (const { upstream } of pairs) upstream.end()
    },
    connections: () => pairs.size,
    sentBytes: () => sent,
    async stop() {
      change({ ...HONEST })
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
