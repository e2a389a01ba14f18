// The end of a listener, in an order that costs no client its answer and that ends whatever clients do.

import { once } from 'node:events'
import { Server as NetServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** A proxy may be about to use a connection that it keeps: its answer says that the connection ends. */
export const IDLE_GRACE_MS = 1000
/** Less than the process has for all of its closing. */
const LAST_MS = 5000

/** Every answer of a process that is about to end says so: the client's next request goes to another. */
export function announceClose(app: FastifyInstance, draining: () => boolean): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining()) void reply.header('connection', 'close')
    done(null, payload)
  })
}

/** Takes no more connections, ends idle ones after a grace, and those that last after `LAST_MS`. */
export async function closeListener(app: FastifyInstance): Promise<void> {
  // Not http's close: that would end idle connections at once.
  NetServer.prototype.close.call(app.server)
  let open = true
  const closed = once(app.server, 'close').then(() => {
    open = false
  })
  await Promise.race([closed, delay(IDLE_GRACE_MS)])
  const timer = setTimeout(() => app.server.closeAllConnections(), LAST_MS)
  try {
    if (open) app.server.closeIdleConnections()
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}
