// One request and its result, on a connection of its own. Never throws because of the server's behaviour:
// a closed connection or silence is a result too, and the check judges it.
import { type Connection, NoAnswer } from './wire/connection.ts'
import {
  encodeChunk,
  encodeHead,
  encodeLastChunk,
  type Framing,
  field,
  type Headers,
  mergeHeaders,
  type Response,
} from './wire/message.ts'
import { MalformedResponse } from './wire/parse.ts'

export interface RequestSpec {
  readonly method: string
  readonly url: URL
  /** Request target as it goes on the wire; default: path and query of `url`. */
  readonly target?: string
  readonly headers?: Headers
  readonly body?: Buffer
  readonly framing?: Framing
  readonly trailers?: Headers
  readonly timeoutMs?: number
  /** Read the answer as one to this method, where a method override makes it another than `method`. */
  readonly answerTo?: string
}

export interface Exchange {
  /** "PATCH /files/a (Upload-Offset: 5, 100 bytes)" */
  readonly request: string
  readonly response: Response | undefined
  /** "409 Conflict (Upload-Offset: 5)" or why there is no response. */
  readonly got: string
  readonly elapsedMs: number
}

/** The bytes of the head, and the line that reports show for it. */
export function compose(spec: RequestSpec, defaults: Headers): { head: Buffer; line: string } {
  const framing = spec.framing ?? 'length'
  const framed: Record<string, string> = {}
  if (framing === 'chunked') framed['Transfer-Encoding'] = 'chunked'
  else if (framing === 'length' && (spec.body || ['POST', 'PATCH'].includes(spec.method))) {
    framed['Content-Length'] = String(spec.body?.length ?? 0)
  }
  const target = spec.target ?? spec.url.pathname + spec.url.search
  const fields = mergeHeaders({ Host: spec.url.host, ...defaults, ...framed }, spec.headers ?? {})
  return { head: encodeHead({ method: spec.method, target, fields }), line: describe(spec, target, fields) }
}

/** Sends the request on `connection` and waits for its final response. */
export async function exchangeOn(
  connection: Connection,
  spec: RequestSpec,
  defaults: Headers,
  timeoutMs: number,
): Promise<Exchange> {
  const { head, line } = compose(spec, defaults)
  const startedAt = Date.now()
  connection.write(head)
  if (spec.framing === 'chunked') {
    connection.write(encodeChunk(spec.body ?? Buffer.alloc(0)))
    connection.write(encodeLastChunk(spec.trailers))
  } else if (spec.body) connection.write(spec.body)
  return await settle(connection, spec.answerTo ?? spec.method, line, startedAt, timeoutMs)
}

/** Waits for the response to a request that is already on its way. */
export async function settle(
  connection: Connection,
  method: string,
  request: string,
  startedAt: number,
  timeoutMs: number,
): Promise<Exchange> {
  try {
    const response = await connection.response(method, timeoutMs)
    return { request, response, got: describeResponse(response), elapsedMs: Date.now() - startedAt }
  } catch (error) {
    if (!(error instanceof NoAnswer || error instanceof MalformedResponse)) throw error
    return { request, response: undefined, got: error.message, elapsedMs: Date.now() - startedAt }
  }
}

const shown = /^(upload-|tus-|location$|content-type$|cache-control$|x-http-method|expect$|connection$|transfer-e)/i

function describe(spec: RequestSpec, target: string, fields: ReadonlyArray<readonly [string, string]>): string {
  const parts = fields
    .filter(([name, value]) => shown.test(name) && !(name === 'Tus-Resumable' && value === '1.0.0'))
    .map(([name, value]) => `${name}: ${shorten(value)}`)
  if (spec.body) parts.push(`${spec.body.length} bytes`)
  return `${spec.method} ${shorten(target)}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`
}

export function describeResponse(response: Response): string {
  const parts = response.fields
    .filter(([name, value]) => shown.test(name) && !(name === 'Tus-Resumable' && value === '1.0.0'))
    .map(([name, value]) => `${name}: ${shorten(value)}`)
  const text = field(response, 'content-type')?.startsWith('video/') ? '' : response.body.toString('utf8').trim()
  if (text && response.status >= 400) parts.push(`"${shorten(text, 100)}"`)
  return `${response.status} ${response.reason}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`
}

function shorten(text: string, limit = 90): string {
  const printable = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  return printable.length > limit ? `${printable.slice(0, limit - 1)}…` : printable
}
