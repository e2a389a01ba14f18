// A small tus server in memory with every extension, written to pass the suite; each fault makes it fail
// one thing. It proves that the checks can fail, and covers extensions that few servers have.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Answer, type Fault, tamper } from './faults.ts'
import { MemoryUpload } from './memory-uploads.ts'
import { algorithms, receiveBody } from './receive-body.ts'

export interface ReferenceOptions {
  readonly faults?: readonly Fault[]
  /** Left out of Tus-Extension although it is served. */
  readonly conceal?: readonly string[]
  readonly maxSizeBytes?: number
  readonly expiryMs?: number
}

export interface RunningServer {
  readonly url: URL
  close(): Promise<void>
}

const base = '/files/'
const extensions = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'checksum',
  'checksum-trailer',
  'termination',
  'concatenation',
  'concatenation-unfinished',
]

/** Listens on a free loopback port. */
export async function startReferenceServer(options: ReferenceOptions = {}): Promise<RunningServer> {
  const reference = new Reference(options)
  const server = createServer((request, response) => {
    // Reading a body throws where the client has gone: there is nobody left to answer.
    reference.handle(request, response).catch(() => request.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: new URL(`http://127.0.0.1:${address.port}${base}`),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

class Reference {
  readonly #options: Required<ReferenceOptions>
  readonly #faults: ReadonlySet<Fault>
  readonly #uploads = new Map<string, MemoryUpload>()

  constructor(options: ReferenceOptions) {
    this.#options = { faults: [], conceal: [], maxSizeBytes: 2 ** 40, expiryMs: 3_600_000, ...options }
    this.#faults = new Set(this.#options.faults)
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const override = this.#has('ignores the override') ? undefined : request.headers['x-http-method-override']
    const method = typeof override === 'string' ? override : (request.method ?? '')
    const path = new URL(request.url ?? '', 'http://localhost').pathname
    const answer = await this.#answer(method, path, request)
    if (answer === 'cut') return void request.destroy()
    answer.headers['Tus-Resumable'] = '1.0.0'
    answer.headers['Cache-Control'] = 'no-store'
    tamper(this.#faults, method, answer)
    const body = method === 'GET' ? this.#uploads.get(path.slice(base.length))?.bytes : undefined
    if (!response.destroyed) response.writeHead(answer.status, answer.headers).end(body)
  }

  #has(fault: Fault): boolean {
    return this.#faults.has(fault)
  }

  async #answer(method: string, path: string, request: IncomingMessage): Promise<Answer | 'cut'> {
    const version = request.headers['tus-resumable']
    const checked = method === 'OPTIONS' ? this.#has('checks the version of OPTIONS') : method !== 'GET'
    if (checked && version !== '1.0.0' && !this.#has('checks no version')) {
      return { status: 412, headers: { 'Tus-Version': '1.0.0' } }
    }
    if (method === 'OPTIONS') return this.#configuration()
    if (path === base) return method === 'POST' ? await this.#create(request) : refuse(405)
    const upload = path.startsWith(base) ? this.#uploads.get(path.slice(base.length)) : undefined
    if (!upload) return refuse(404)
    if (!upload.complete && Date.now() > upload.expiresAtMs) return refuse(410)
    if (method === 'HEAD') return { status: 200, headers: this.#describe(upload) }
    if (method === 'GET') return { status: 200, headers: {} }
    if (method === 'PATCH') return await this.#patch(upload, request)
    if (method !== 'DELETE') return refuse(405)
    if (upload.writer && this.#has('never lets go')) return refuse(423)
    upload.writer?.cut()
    this.#uploads.delete(upload.id)
    return { status: 204, headers: {} }
  }

  #configuration(): Answer {
    const headers = {
      'Tus-Version': '1.0.0',
      'Tus-Extension': extensions.filter((name) => !this.#options.conceal.includes(name)).join(','),
      'Tus-Max-Size': String(this.#options.maxSizeBytes),
      'Tus-Checksum-Algorithm': algorithms.join(','),
    }
    return { status: 204, headers }
  }

  #describe(upload: MemoryUpload): Record<string, string> {
    const { offset, length, metadata, concat } = upload
    return {
      ...(offset === undefined ? {} : { 'Upload-Offset': String(offset) }),
      ...(length === undefined ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }),
      ...(metadata === undefined ? {} : { 'Upload-Metadata': metadata }),
      ...(concat === undefined ? {} : { 'Upload-Concat': concat.header }),
      ...this.#expiry(upload),
    }
  }

  #expiry(upload: MemoryUpload): Record<string, string> {
    return upload.complete ? {} : { 'Upload-Expires': new Date(upload.expiresAtMs).toUTCString() }
  }

  async #create(request: IncomingMessage): Promise<Answer | 'cut'> {
    const metadata = readMetadata(request.headers['upload-metadata'])
    if (metadata === 'malformed') return refuse(400)
    const concat = String(request.headers['upload-concat'] ?? '')
    const parts = concat.startsWith('final;') ? this.#parts(concat.slice(6)) : undefined
    if (concat !== '' && concat !== 'partial' && !parts) return refuse(400)
    const length = parts ? undefined : this.#newLength(request)
    if (typeof length === 'object') return length
    const inherited = this.#has('hands metadata on') ? parts?.[0]?.metadata : undefined
    const upload = new MemoryUpload({
      id: this.#has('gives one id to all') ? '0'.repeat(32) : undefined,
      length: length === 'deferred' ? undefined : length,
      metadata: inherited ?? metadata,
      concat: concat === '' ? undefined : { header: concat, ...(parts ? { parts } : {}) },
      expiresAtMs: Date.now() + this.#options.expiryMs,
    })
    this.#uploads.set(upload.id, upload)
    if (isOffsetStream(request)) {
      const received = await receiveBody(request, upload, this.#faults)
      if (received !== 'stored') return received === 'cut' ? 'cut' : refuse(statusOf[received])
    }
    const headers = { Location: base + upload.id, ...this.#offsetOf(upload), ...this.#expiry(upload) }
    return { status: 201, headers }
  }

  #offsetOf(upload: MemoryUpload): Record<string, string> {
    return upload.offset === undefined ? {} : { 'Upload-Offset': String(upload.offset) }
  }

  #newLength(request: IncomingMessage): number | 'deferred' | Answer {
    const { 'upload-length': length, 'upload-defer-length': defer } = request.headers
    if (this.#has('takes any length') && !/^\d+$/.test(String(length)) && defer === undefined) return 0
    if (defer !== undefined) return defer === '1' && length === undefined ? 'deferred' : refuse(400)
    return this.#length(length)
  }

  #length(value: string | string[] | undefined): number | Answer {
    if (!/^\d+$/.test(String(value))) return refuse(400)
    const length = Number(value)
    const allowed = this.#has('checks no maximum') || length <= this.#options.maxSizeBytes
    return allowed && Number.isSafeInteger(length) ? length : refuse(413)
  }

  #parts(list: string): MemoryUpload[] | undefined {
    const found = list.split(' ').map((url) => {
      const path = URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname : ''
      const part = this.#uploads.get(path.slice(base.length))
      return part?.concat?.header === 'partial' ? part : undefined
    })
    const parts = found.filter((part) => part !== undefined)
    if (parts.length !== found.length) return undefined
    if (this.#has('forgets the first part')) return parts.slice(1)
    return this.#has('joins in reverse') ? parts.reverse() : parts
  }

  async #patch(upload: MemoryUpload, request: IncomingMessage): Promise<Answer | 'cut'> {
    if (!isOffsetStream(request)) return refuse(415)
    if (upload.concat?.parts) {
      const body = await readAll(request)
      if (this.#has('writes into final uploads')) upload.concat.parts[0]?.overwrite(0, body)
      return refuse(403)
    }
    const current = upload.offset ?? 0
    const offset = String(request.headers['upload-offset'])
    const lenient = this.#has('takes any offset') && !(Number(offset) >= 0)
    if (!lenient && !/^\d+$/.test(offset)) return refuse(400)
    if (!lenient && Number(offset) !== current) {
      const body = await readAll(request)
      if (this.#has('appends on conflict')) upload.append(body)
      if (this.#has('overwrites on conflict')) upload.overwrite(Number(offset), body)
      return { status: 409, headers: { 'Upload-Offset': String(current) } }
    }
    if (upload.writer && this.#has('never lets go')) return refuse(423)
    const refused = this.#declareLength(upload, request)
    if (refused) return refused
    if (upload.length !== undefined && current + Number(request.headers['content-length'] ?? 0) > upload.length) {
      return refuse(413)
    }
    const received = await receiveBody(request, upload, this.#faults)
    if (received === 'cut') return 'cut'
    if (received !== 'stored') return refuse(statusOf[received])
    return { status: 204, headers: { ...this.#offsetOf(upload), ...this.#expiry(upload) } }
  }

  /** Upload-Length in a PATCH: tells a deferred length, and may repeat but not change a known one. */
  #declareLength(upload: MemoryUpload, request: IncomingMessage): Answer | undefined {
    const value = request.headers['upload-length']
    if (value === undefined || this.#has('ignores the length in PATCH')) return undefined
    const length = this.#length(value)
    if (typeof length === 'object') return length
    const fixed = upload.length !== undefined && upload.length !== length && !this.#has('changes the length')
    if (fixed || length < (upload.offset ?? 0)) return refuse(400)
    upload.length = length
    return undefined
  }
}

const statusOf = { 'too long': 413, 'unknown algorithm': 400, mismatch: 460 } as const

function refuse(status: number): Answer {
  return { status, headers: {} }
}

function isOffsetStream(request: IncomingMessage): boolean {
  return request.headers['content-type']?.toLowerCase() === 'application/offset+octet-stream'
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function readMetadata(value: string | string[] | undefined): string | 'malformed' | undefined {
  if (value === undefined) return undefined
  const pairs = String(value)
    .split(',')
    .map((pair) => pair.replace(/^ +/, ''))
  const keys = new Set(pairs.map((pair) => pair.split(' ')[0]))
  const base64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?'
  const fine = pairs.every((pair) => new RegExp(`^[!-+\\--~]+(?: ${base64})?$`).test(pair))
  return fine && keys.size === pairs.length ? pairs.join(',') : 'malformed'
}
