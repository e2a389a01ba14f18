// tus requests by hand, one connection each unless an agent is given: bodies that are sent in pieces, cut, or longer
// than they say, and answers as they came.

import { once } from 'node:events'
import { type Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import { PATIENCE_MS, waitFor } from './http.ts'

export type Problem = {
  code: string
  status: number
  message: { th: string; en: string }
  [detail: string]: unknown
}

export type Reply = {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The body, where it is a problem document. */
  problem: Problem | undefined
}

/** A request whose body is still to come. */
export type Sending = {
  /** Rejects when the connection breaks before an answer. */
  readonly reply: Promise<Reply>
  /** Resolves when the bytes have been handed to the kernel; rejects where the request ends before. */
  write(bytes: Buffer): Promise<void>
  end(bytes?: Buffer): void
  /** Resets the connection. */
  cut(): void
  readonly raw: ClientRequest
}

export type Headers = Record<string, string | number>

export function begin(method: string, url: string, headers: Headers = {}, agent?: Agent): Sending {
  const raw = request(url, { method, headers, agent: agent ?? false })
  const reply = new Promise<Reply>((resolve, reject) => {
    raw.on('error', reject)
    raw.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const isProblem = /problem\+json/.test(response.headers['content-type'] ?? '') && text !== ''
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          problem: isProblem ? (JSON.parse(text) as Problem) : undefined,
        })
      })
    })
  })
  const closed = once(raw, 'close')
  closed.catch(() => undefined) // told by the answer
  // A test that cuts a request does not look at its answer.
  reply.catch(() => undefined)
  return {
    reply,
    raw,
    write: async (bytes) => {
      const written = new Promise<void>((resolve, reject) => {
        raw.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
      // Node forgets the callbacks of what it had not handed over when a request was cut.
      await Promise.race([written, closed.then(() => Promise.reject(new Error('the request was cut')))])
    },
    end: (bytes) => void raw.end(bytes),
    cut: () => void raw.destroy(),
  }
}

export async function send(
  method: string,
  url: string,
  headers: Headers = {},
  body?: Buffer,
  agent?: Agent,
): Promise<Reply> {
  const sending = begin(
    method,
    url,
    body === undefined ? headers : { 'Content-Length': body.length, ...headers },
    agent,
  )
  sending.end(body)
  const timer = setTimeout(() => sending.raw.destroy(new Error(`${method} ${url}: no answer`)), PATIENCE_MS)
  return await sending.reply.finally(() => clearTimeout(timer))
}

export const OFFSET_TYPE = 'application/offset+octet-stream'

export function metadata(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',')
}

export type Creation = {
  /** Bytes; null: deferred. */
  length: number | null
  name?: string
  type?: string
  fingerprint?: string
  /** Sent with the creation. */
  body?: Buffer
  headers?: Headers
}

export type TusUser = ReturnType<typeof tusUser>

/** Somebody with a ticket (null: without one) at one service. */
export function tusUser(origin: string, ticket: string | null) {
  const common: Headers = {
    'Tus-Resumable': '1.0.0',
    ...(ticket === null ? {} : { Authorization: `Bearer ${ticket}` }),
  }
  const creationHeaders = ({ length, name, type, fingerprint, body, headers }: Creation): Headers => {
    const values = {
      ...(name === undefined ? {} : { filename: name }),
      ...(type === undefined ? {} : { filetype: type }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    }
    return {
      ...common,
      ...(length === null ? { 'Upload-Defer-Length': 1 } : { 'Upload-Length': length }),
      ...(Object.keys(values).length === 0 ? {} : { 'Upload-Metadata': metadata(values) }),
      ...(body === undefined ? {} : { 'Content-Type': OFFSET_TYPE }),
      ...headers,
    }
  }
  const patchHeaders = (offset: number, more: Headers): Headers => ({
    ...common,
    'Content-Type': OFFSET_TYPE,
    'Upload-Offset': offset,
    ...more,
  })
  const user = {
    headers: common,
    post: (creation: Creation) =>
      send('POST', `${origin}/files`, creationHeaders(creation), creation.body ?? Buffer.alloc(0)),
    /** Address of a creation that is expected to work; a service that is busy for a moment is asked again, as clients do. */
    async create(creation: Creation): Promise<string> {
      const answered = async () => {
        const reply = await user.post(creation)
        return reply.problem?.code !== 'OVERLOADED' && reply
      }
      const { status, headers, text } = await waitFor(answered, { intervalMs: 500, what: 'a creation' })
      if (status !== 201 || headers.location === undefined) throw new Error(`POST: ${status} ${text}`)
      return headers.location
    },
    head: (url: string) => send('HEAD', url, common),
    /** Upload-Offset of a HEAD that is expected to work; 423 means "ask again", as real clients do. */
    async offset(url: string): Promise<number> {
      const answered = async () => {
        const reply = await user.head(url)
        return reply.status !== 423 && reply
      }
      const { status, headers } = await waitFor(answered, { what: `HEAD ${url}` })
      if (status !== 200) throw new Error(`HEAD: ${status}`)
      return Number(headers['upload-offset'])
    },
    patch: (url: string, offset: number, body: Buffer, more: Headers = {}, agent?: Agent) =>
      send('PATCH', url, patchHeaders(offset, more), body, agent),
    /** A PATCH whose body comes in pieces; `length` is its Content-Length, absent: chunked. */
    begin: (url: string, offset: number, length?: number, more: Headers = {}) =>
      begin(
        'PATCH',
        url,
        patchHeaders(offset, { ...(length === undefined ? {} : { 'Content-Length': length }), ...more }),
      ),
    beginPost: (creation: Creation, length: number) =>
      begin('POST', `${origin}/files`, {
        ...creationHeaders(creation),
        'Content-Type': OFFSET_TYPE,
        'Content-Length': length,
      }),
    remove: (url: string) => send('DELETE', url, common),
  }
  return user
}

/** The same upload at another service: the path of its address there. */
export function at(origin: string, url: string): string {
  return `${origin}${new URL(url).pathname}`
}

export function idOf(url: string): string {
  return new URL(url).pathname.slice('/files/'.length)
}
