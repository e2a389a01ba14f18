// Kept connections to the store. Node's own agents leave a connection without an `error` listener for one tick, when the
// answer came before the request was written: an error that comes then ends the process. A store that is overloaded
// answers so.

import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'

type OnSocket = (error: Error | null, stream: Duplex) => void

/** Whoever uses the connection hears of its errors by the request, and the pool by its closing. */
function guarded(socket: Duplex | null | undefined): Duplex | null | undefined {
  socket?.on('error', () => undefined)
  return socket
}

export class KeptHttp extends http.Agent {
  override createConnection(options: http.ClientRequestArgs, onSocket?: OnSocket) {
    return guarded(super.createConnection(options, onSocket))
  }
}

export class KeptHttps extends https.Agent {
  override createConnection(options: https.RequestOptions, onSocket?: OnSocket) {
    return guarded(super.createConnection(options, onSocket))
  }
}
