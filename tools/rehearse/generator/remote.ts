// Generators on other machines. Each connects to the coordinator with TLS; the key of both (RFC 4279) follows from
// LOAD_TEST_SECRET: whoever does not know it can neither give nor take orders. Messages are lines of JSON.

import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { connect, createServer, type SecureContextOptions } from 'node:tls'
import { UsageError } from '../../lib/usage.ts'
import type { Generator } from './generator.ts'
import type { FromGenerator, ToGenerator } from './messages.ts'

export type ToRemote = ToGenerator | { kind: 'clock' }
export type FromRemote = FromGenerator | { kind: 'clock'; atMs: number }

const IDENTITY = 'generator'
/** Ephemeral keys: a secret that leaks later opens no recorded connection. Node knows pre-shared keys up to TLS 1.2. */
const TLS_OPTIONS: SecureContextOptions = { ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' }
const CLOCK_TRIES = 7
const CONNECT_MS = 10_000
/** Whoever coordinates walks from machine to machine. */
const JOIN_MS = 15 * 60_000

export type Address = { host: string; port: number }

/** `HOST:PORT`, as of `--listen` and `--join`. */
export function parseAddress(name: string, text: string): Address {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (bare === '' || Number(port) > 65_535) throw new UsageError(`--${name} must be HOST:PORT, not ${text}`)
  return { host: bare, port: Number(port) }
}

function keyOf(secret: string): Buffer {
  return createHmac('sha256', secret).update('songngan load generators, version 1').digest()
}

/** A connection as lines of JSON. */
export class JsonLines<In, Out> {
  readonly #socket: Socket
  readonly #listeners: ((message: In) => void)[] = []
  readonly #early: In[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      const message = messageIn<In>(line)
      if (message === undefined) return void socket.destroy()
      if (this.#listeners.length === 0) this.#early.push(message)
      for (const listener of this.#listeners) listener(message)
    })
  }

  send(message: Out): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  /** Messages that came before the first listener are not lost. */
  onMessage(listener: (message: In) => void): void {
    this.#listeners.push(listener)
    for (const message of this.#early.splice(0)) listener(message)
  }

  next(): Promise<In> {
    return new Promise((resolve) => {
      const listener = (message: In) => {
        this.#listeners.splice(this.#listeners.indexOf(listener), 1)
        resolve(message)
      }
      this.onMessage(listener)
    })
  }
}

/** undefined: a line that ended in the middle, with its connection. */
function messageIn<In>(line: string): In | undefined {
  try {
    return JSON.parse(line) as In
  } catch {
    return undefined
  }
}

/**
 * Waits until `count` generators have joined. Rejects when `signal` aborts.
 *
 * @param onJoin called for each one
 */
export async function acceptGenerators(
  address: Address,
  options: { count: number; secret: string; signal: AbortSignal; onListening?: (port: number) => void },
  onJoin: (generator: Generator, joined: number) => void,
): Promise<Generator[]> {
  const { count, secret, signal } = options
  const key = keyOf(secret)
  const generators: Generator[] = []
  const server = createServer({
    ...TLS_OPTIONS,
    pskCallback: (_socket, identity) => (identity === IDENTITY ? key : null),
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy()) // a stranger, or another secret
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(
        () => reject(new UsageError(`Only ${generators.length} of ${count} generators have joined in 15 minutes.`)),
        JOIN_MS,
      )
      const interrupt = () => reject(new UsageError('Interrupted while waiting for generators.'))
      signal.addEventListener('abort', interrupt, { once: true })
      server.on('error', (error) =>
        reject(new UsageError(`--listen ${address.host}:${address.port}: ${error.message}`)),
      )
      server.on('secureConnection', (socket) => {
        socket.on('error', () => {}) // its end is reported by `close`
        remoteGenerator(socket).then((generator) => {
          if (generators.length === count) return void generator.end()
          generators.push(generator)
          onJoin(generator, generators.length)
          if (generators.length === count) resolve(generators)
        }, reject)
      })
      server.listen(address.port, address.host, () => {
        const bound = server.address()
        if (bound !== null && typeof bound === 'object') options.onListening?.(bound.port)
      })
    })
  } catch (error) {
    await Promise.all(generators.map((generator) => generator.end()))
    throw error
  } finally {
    clearTimeout(timer)
    server.close() // connections that were accepted stay
  }
}

async function remoteGenerator(socket: Socket): Promise<Generator> {
  const lines = new JsonLines<FromRemote, ToRemote>(socket)
  const clockOffsetMs = await offsetOf(lines)
  return {
    name: `${socket.remoteAddress}:${socket.remotePort}`,
    pid: undefined,
    clockOffsetMs,
    send: (message) => lines.send(message),
    onMessage: (listener) => lines.onMessage((message) => void (message.kind !== 'clock' && listener(message))),
    onEnd: (listener) => {
      if (socket.destroyed) listener('connection closed')
      else socket.once('close', () => listener('connection closed'))
    },
    async end() {
      socket.destroy()
    },
  }
}

/** The clock of the other side minus ours; the fastest of several answers has the least error, half its way. */
async function offsetOf(lines: JsonLines<FromRemote, ToRemote>): Promise<number> {
  let best = { wayMs: Number.POSITIVE_INFINITY, offsetMs: 0 }
  for (let i = 0; i < CLOCK_TRIES; i++) {
    const askedMs = Date.now()
    lines.send({ kind: 'clock' })
    const answer = await lines.next()
    const wayMs = Date.now() - askedMs
    if (answer.kind === 'clock' && wayMs < best.wayMs)
      best = { wayMs, offsetMs: Math.round(answer.atMs - askedMs - wayMs / 2) }
  }
  return best.offsetMs
}

/** Connects to the coordinator. Throws UsageError. */
export async function joinCoordinator(
  { host, port }: Address,
  secret: string,
): Promise<{ lines: JsonLines<ToRemote, FromRemote>; socket: Socket }> {
  const socket = connect({
    ...TLS_OPTIONS,
    host,
    port,
    pskCallback: () => ({ psk: keyOf(secret), identity: IDENTITY }),
    // The shared key identifies the coordinator; it has no certificate.
    checkServerIdentity: () => undefined,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  })
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_MS)
  try {
    await once(socket, 'secureConnect')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`No coordinator with this LOAD_TEST_SECRET at ${host}:${port}: ${why}`)
  } finally {
    clearTimeout(timer)
  }
  socket.on('error', () => {}) // its end is reported by `close`
  return { lines: new JsonLines(socket), socket }
}
