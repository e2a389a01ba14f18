// Graceful shutdown of a listener: running requests get their response, and it ends in limited time.

import { once } from 'node:events'
import { Server as NetServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { withTimeout } from '../core/with-timeout.ts'

/** A proxy may be about to use a kept connection: the response then says `Connection: close`. */
const IDLE_GRACE_MS = 1000
/** Shorter than the shutdown time of the process. */
const LAST_MS = 5000

/** Responses of a draining process have `Connection: close`: the next request goes to another process. */
export function announceClose(app: FastifyInstance, draining: () => boolean): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining()) void reply.header('connection', 'close')
    done(null, payload)
  })
}

/** Stops accepting connections, closes idle ones after a grace period, and all others after `LAST_MS`. */
export async function closeListener(app: FastifyInstance): Promise<void> {
  // Not http's close, which would end idle connections at once.
  NetServer.prototype.close.call(app.server)
  let open = true
  const closed = once(app.server, 'close').then(() => {
    open = false
  })
  await withTimeout(closed, IDLE_GRACE_MS, () => undefined)
  const timer = setTimeout(() => app.server.closeAllConnections(), LAST_MS)
  try {
    if (open) app.server.closeIdleConnections()
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}
