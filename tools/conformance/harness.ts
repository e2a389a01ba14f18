// The tools of a check: requests with the usual tus defaults, uploads made for it, and what the server
// announced. Each check has its own harness, which closes its connections and deletes its uploads.
import { compose, type Exchange, exchangeOn, type RequestSpec, settle } from './exchange.ts'
import { succeeded } from './expect.ts'
import { Blocked, Deviation, type Extension } from './model.ts'
import type { Payload } from './payload.ts'
import { Connection, NoAnswer } from './wire/connection.ts'
import { field, type Headers } from './wire/message.ts'

export interface HarnessOptions {
  /** The upload creation URL. */
  readonly url: URL
  /** Sent with every request, e.g. Authorization; also to other hosts that a Location names, as clients do. */
  readonly headers: Headers
  /** Longest wait for any one answer. */
  readonly timeoutMs: number
  /** Longest time in which a new connection must have taken over an upload from a dead one. */
  readonly takeoverMs: number
  /** Longest wait for an announced expiry to pass. */
  readonly expiryWaitMs: number
  /** Length of an ordinary test upload. */
  readonly sizeBytes: number
}

/** What OPTIONS said, and whether GET gives an upload's bytes back. */
export interface ServerFacts {
  readonly extensions: ReadonlySet<string>
  readonly versions: readonly string[]
  readonly maxSizeBytes: bigint | undefined
  readonly checksumAlgorithms: readonly string[]
  /** It tells a client of the IETF draft its limits. */
  readonly draft: boolean
  readonly readBack: boolean
}

export interface Upload {
  readonly url: URL
  /** Location as the server sent it. */
  readonly location: string
  readonly length: number | undefined
  readonly created: Exchange
}

export interface CreateOptions {
  readonly length?: number | 'deferred'
  readonly headers?: Headers
}

type Spec = Omit<RequestSpec, 'url'> & { readonly url?: URL }

const offsetType = 'application/offset+octet-stream'
const retryLaterMs = 5_000

export class Harness {
  readonly options: HarnessOptions
  readonly server: ServerFacts
  readonly payload: Payload
  readonly notes: string[] = []
  readonly #connections: Connection[] = []
  readonly #created = new Map<string, URL>()

  constructor(options: HarnessOptions, server: ServerFacts, payload: Payload) {
    this.options = options
    this.server = server
    this.payload = payload
  }

  /** A measured detail for the report, shown whatever the outcome. */
  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  announces(extension: Extension): boolean {
    return this.server.extensions.has(extension)
  }

  async open(url: URL = this.options.url): Promise<Connection> {
    const connection = await Connection.open(url, this.options.timeoutMs)
    this.#connections.push(connection)
    return connection
  }

  /** One request on a connection of its own; Tus-Resumable and the caller's headers are added. */
  async send(spec: Spec): Promise<Exchange> {
    const polite = spec.method === 'GET' ? { headers: { ...spec.headers, Connection: 'close' } } : {}
    const full = { ...spec, ...polite, url: spec.url ?? this.options.url }
    let connection: Connection
    try {
      connection = await this.open(full.url)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      const { line } = compose(full, this.#defaults(spec))
      return { request: line, response: undefined, got: error.message, elapsedMs: 0 }
    }
    const x = await this.on(connection, full)
    // A client that leaves right after the last byte of a GET has brought servers down: that has a check of
    // its own at the end, and must not affect the others.
    if (spec.method === 'GET') await connection.closedWithin(1_000)
    connection.destroy()
    return x
  }

  /** One request on a given connection, which stays open. */
  async on(connection: Connection, spec: Spec): Promise<Exchange> {
    const full = { ...spec, url: spec.url ?? this.options.url }
    const x = await exchangeOn(connection, full, this.#defaults(spec), spec.timeoutMs ?? this.options.timeoutMs)
    this.#remember(x, full.url)
    return x
  }

  /** Writes a request's head only, for checks that send the body by hand. Returns how to wait for the answer. */
  begin(connection: Connection, spec: Spec): (timeoutMs?: number) => Promise<Exchange> {
    const full = { ...spec, url: spec.url ?? this.options.url }
    const { head, line } = compose(full, this.#defaults(spec))
    const startedAt = Date.now()
    connection.write(head)
    return async (timeoutMs = this.options.timeoutMs) => {
      const x = await settle(connection, spec.method, line, startedAt, timeoutMs)
      this.#remember(x, full.url)
      return x
    }
  }

  async optionsRequest(headers: Headers = {}): Promise<Exchange> {
    return await this.send({ method: 'OPTIONS', headers: { 'Tus-Resumable': null, ...headers } })
  }

  /** A creation request with the payload's metadata. Waits and repeats once if the server sends Retry-After. */
  async post(headers: Headers, body?: Buffer): Promise<Exchange> {
    const metadata: Headers = this.payload.metadata ? { 'Upload-Metadata': this.payload.metadata } : {}
    const spec = { method: 'POST', headers: { ...metadata, ...headers }, ...(body ? { body } : {}) }
    const x = await this.send(spec)
    const status = x.response?.status
    const waitMs = Number(x.response ? (field(x.response, 'retry-after') ?? Number.NaN) : Number.NaN) * 1000
    if ((status !== 429 && status !== 503) || !(waitMs <= retryLaterMs)) return x
    this.note(`the server asked to wait ${waitMs} ms before creating`)
    await pause(waitMs)
    return await this.send(spec)
  }

  /** Creates an upload to test with. Throws Blocked if that fails: creation has checks of its own. */
  async create(options: CreateOptions = {}): Promise<Upload> {
    const length = options.length ?? this.options.sizeBytes
    const size: Headers = length === 'deferred' ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
    const created = await this.post({ ...size, ...options.headers })
    return this.uploadOf(created, length === 'deferred' ? undefined : length)
  }

  /** The upload that a 201 names. */
  uploadOf(created: Exchange, length?: number): Upload {
    const location = created.response && field(created.response, 'location')
    if (created.response?.status !== 201 || !location) {
      throw new Blocked('no upload could be created', created.got, created.request)
    }
    const url = new URL(location, this.options.url)
    return { url, location, length, created }
  }

  async head(upload: Pick<Upload, 'url'>, headers: Headers = {}, timeoutMs?: number): Promise<Exchange> {
    const wait = timeoutMs === undefined ? {} : { timeoutMs }
    return await this.send({ method: 'HEAD', url: upload.url, headers, ...wait })
  }

  /** A PATCH with the right content type; `headers` may replace or remove any of it. */
  async patch(
    upload: Pick<Upload, 'url'>,
    offset: number | bigint,
    body: Buffer,
    headers: Headers = {},
  ): Promise<Exchange> {
    return await this.send(this.patchSpec(upload, offset, body, headers))
  }

  patchSpec(upload: Pick<Upload, 'url'>, offset: number | bigint, body: Buffer, headers: Headers = {}) {
    const usual = { 'Content-Type': offsetType, 'Upload-Offset': String(offset) }
    const kept = Object.entries(usual).filter(
      ([name]) => !Object.keys(headers).some((own) => own.toLowerCase() === name.toLowerCase()),
    )
    return { method: 'PATCH', url: upload.url, body, headers: { ...Object.fromEntries(kept), ...headers } }
  }

  /** A PATCH that must succeed for the check to continue. */
  async mustPatch(upload: Pick<Upload, 'url'>, offset: number, body: Buffer, headers: Headers = {}): Promise<void> {
    const x = await this.patch(upload, offset, body, headers)
    if (!succeeded(x)) throw new Blocked('an ordinary PATCH did not work', x.got, x.request)
  }

  /** An upload with all its bytes sent. */
  async createComplete(options: { length?: number; headers?: Headers } = {}): Promise<Upload> {
    const length = options.length ?? this.options.sizeBytes
    const upload = await this.create({ ...options, length })
    await this.mustPatch(upload, 0, this.payload.bytes(0, length))
    return upload
  }

  /** The offset that HEAD reports; waits while the server answers 423 Locked. */
  async offsetOf(upload: Pick<Upload, 'url'>, withinMs: number = this.options.timeoutMs): Promise<number> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const x = await this.head(upload, {}, Math.max(1, deadline - Date.now()))
      if (x.response?.status === 423 && Date.now() < deadline) {
        await pause(100)
        continue
      }
      const offset = x.response && succeeded(x) ? field(x.response, 'upload-offset') : undefined
      if (offset === undefined || !/^\d+$/.test(offset)) {
        throw new Deviation('a HEAD answer with Upload-Offset', x.got, x.request)
      }
      return Number(offset)
    }
  }

  /** Throws unless HEAD still reports `offset`; `after` says what must not have changed it. */
  async expectOffsetStays(upload: Pick<Upload, 'url'>, offset: number, after: string): Promise<void> {
    const now = await this.offsetOf(upload)
    if (now !== offset) throw new Deviation(`offset still ${offset} after ${after}`, `HEAD says ${now}`)
  }

  /** Reads the upload back and compares; does nothing if the server has no GET (tus does not require it). */
  async expectContent(upload: Pick<Upload, 'url'>, expected: Buffer): Promise<void> {
    const read = await this.readBack(upload, expected.length)
    if (!read) return
    const { body, x } = read
    if (body.equals(expected)) return
    const at = expected.findIndex((byte, index) => byte !== body[index])
    const where = body.length === expected.length ? `the first wrong byte is ${at}` : `${body.length} bytes`
    throw new Deviation(`the ${expected.length} bytes that were sent`, `${where}; ${x.got}`, x.request)
  }

  /** What GET returns, once it has `length` bytes (a server may still be joining parts) or time is up. */
  async readBack(upload: Pick<Upload, 'url'>, length: number): Promise<{ body: Buffer; x: Exchange } | undefined> {
    if (!this.server.readBack) return undefined
    const deadline = Date.now() + this.options.timeoutMs
    let x = await this.send({ method: 'GET', url: upload.url })
    while (x.response?.body.length !== length && Date.now() < deadline) {
      await pause(100)
      x = await this.send({ method: 'GET', url: upload.url })
    }
    return { body: x.response?.body ?? Buffer.alloc(0), x }
  }

  /**
   * Closes what the check left open. Deletes its uploads if the server supports termination. Resolves with the URLs of those
   * that may still be there.
   */
  async dispose(): Promise<string[]> {
    for (const connection of this.#connections) connection.destroy()
    if (!this.announces('termination')) return [...this.#created.keys()]
    const left: string[] = []
    for (const url of this.#created.values()) {
      // Whether DELETE works is tested by the termination checks; here it only cleans up.
      const x = await this.send({ method: 'DELETE', url, timeoutMs: Math.min(3_000, this.options.timeoutMs) })
      const status = x.response?.status
      if (!succeeded(x) && status !== 404 && status !== 410) left.push(url.href)
    }
    return left
  }

  #defaults(spec: Pick<Spec, 'headers'>): Headers {
    const own = Object.keys(spec.headers ?? {}).some((name) => name.toLowerCase() === 'tus-resumable')
    return own ? this.options.headers : { 'Tus-Resumable': '1.0.0', ...this.options.headers }
  }

  #remember(x: Exchange, base: URL): void {
    const location = x.response?.status === 201 ? field(x.response, 'location') : undefined
    if (location && URL.canParse(location, base.href)) {
      const url = new URL(location, base)
      this.#created.set(url.href, url)
    }
  }
}

/** For polling a foreign server, which offers nothing to wait on. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
