// Whether this process reads sockets below node:http. It tries it first, on a connection of its own: a Node whose internals have
// changed is found at start, and every upload goes through node:http there.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import type { Logger } from '../core/logger.ts'
import { ByteBudget } from './budget.ts'
import { SocketReader } from './socket-reader.ts'

/** Releases of Node on which it was tried. On others a wrong call might end the process. */
const TRIED = [20, 22, 24]
const TRIAL_MS = 10_000
const BODY_BYTES = 1024 ** 2
/** They come through node:http. */
const BEGINNING_BYTES = 1000
const BUDGET_BYTES = 16 * 1024 ** 2

export class SocketReading {
  readonly #isWanted: boolean
  readonly #logger: Logger
  #works = false

  constructor(isWanted: boolean, logger: Logger) {
    this.#isWanted = isWanted
    this.#logger = logger
  }

  /** False before `start`, and where the trial failed. */
  get works(): boolean {
    return this.#works
  }

  async start(): Promise<void> {
    if (!this.#isWanted) return
    try {
      const release = Number(process.versions.node.split('.')[0])
      if (!TRIED.includes(release)) throw new Error(`it was not tried on Node ${release}`)
      await trySocketReader()
      this.#works = true
    } catch (err) {
      this.#logger.warn({ err }, 'sockets are not read below node:http here; uploads need more CPU')
    }
  }
}

/**
 * Sends a body and the next request on one connection to a server of its own. Throws if the body does not arrive as it is, or
 * not below node:http, or the next request is not understood.
 */
async function trySocketReader(): Promise<void> {
  const body = randomBytes(BODY_BYTES)
  const signal = AbortSignal.timeout(TRIAL_MS)
  const served: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    let below = false
    let received = 0
    const take = (chunk: Buffer) => {
      received += chunk.length
      chunks.push(Buffer.from(chunk))
      budget.slabs.giveBack([chunk])
    }
    request.on('data', take)
    request.once('data', () =>
      setImmediate(() => {
        try {
          below = SocketReader.take(request, received, budget, take) !== undefined
        } catch (error) {
          client.destroy(error as Error)
        }
        client.write(body.subarray(BEGINNING_BYTES))
        client.write('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      }),
    )
    request.on('end', () => {
      served.push(`${request.url} ${Buffer.concat(chunks).equals(body)} ${below}`)
      response.end()
    })
  })
  const budget = new ByteBudget(BUDGET_BYTES, { receiveBudget: { set: () => undefined } })
  const client = new Socket()
  try {
    // Exclusive: processes of a cluster would be given each other's connections.
    await once(server.listen({ host: '127.0.0.1', port: 0, exclusive: true }), 'listening', { signal })
    client.connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.write(`PATCH /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`)
    client.write(body.subarray(0, BEGINNING_BYTES))
    await once(client.resume(), 'close', { signal })
    const seen = served.join()
    if (seen !== '/body true true,/next false false') throw new Error(`a trial gave ${seen}`)
  } finally {
    client.destroy()
    server.closeAllConnections()
    server.close()
  }
}
