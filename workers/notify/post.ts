// One POST to a checked address, with a time limit, without redirects, and with a limit on the response body.

import { type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Address } from './address-guard.ts'

/** Limit of the response body, which is not used; it is read so that the connection closes cleanly. */
const MAX_RESPONSE_BYTES = 4096

export type Answer = { status: number; headers: IncomingHttpHeaders }

/**
 * Posts `body` and resolves with the status. The connection goes to one of `addresses`, whatever the name resolves to
 * by now; TLS still checks the name. Rejects on network errors, or with the signal's reason.
 */
export function post(
  url: URL,
  options: {
    addresses: readonly Address[]
    headers: Record<string, string>
    body: string
    signal: AbortSignal
  },
): Promise<Answer> {
  const bytes = Buffer.from(options.body)
  const settings: RequestOptions = {
    method: 'POST',
    headers: { ...options.headers, 'content-length': bytes.length },
    lookup: pinned(options.addresses),
    // A connection of its own: one kept for the next delivery could be to an address that is no longer allowed.
    agent: false,
    signal: options.signal,
  }
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, settings)
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      let read = 0
      const done = () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers })
        outgoing.destroy()
      }
      response.on('data', (chunk: Buffer) => {
        read += chunk.length
        if (read > MAX_RESPONSE_BYTES) done()
      })
      response.once('end', done)
      // The status is received; an incomplete body does not change it.
      response.once('error', done)
    })
    outgoing.end(bytes)
  })
}

/** Supports both forms of net's `lookup`: one address, or all of them (the first that connects wins). */
function pinned(addresses: readonly Address[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (first === undefined) callback(new Error('no address'), '', 4)
    else if (options.all === true) callback(null, [...addresses])
    else callback(null, first.address, first.family)
  }
}
