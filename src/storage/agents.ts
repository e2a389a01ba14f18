// Keep-alive agents for the store. Node's agents leave a connection without an `error` listener for one tick if the
// response comes before the request is written: an error in that tick would end the process. An overloaded store
// responds like this.

import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'

type OnSocket = (error: Error | null, stream: Duplex) => void

/** Errors still reach the request, and the close event reaches the pool. */
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
