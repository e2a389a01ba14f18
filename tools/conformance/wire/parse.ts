// Reads HTTP/1.1 responses out of a growing buffer (RFC 9112 sections 4 to 7).
import type { Response } from './message.ts'

/** Bytes that are no HTTP response: a deviation of the server. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse'
}

export interface Parsed {
  readonly response: Response
  /** Length of the response in the buffer; the following bytes belong to the next response. */
  readonly consumed: number
}

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/

/**
 * The first complete response in `bytes`, or undefined while it is incomplete.
 * `method` decides whether a body follows; `ended` says that the peer has closed, which ends a body
 * without a length.
 */
export function parseResponse(bytes: Buffer, method: string, ended: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) {
    if (bytes.length > 0 && !'HTTP/1.'.startsWith(bytes.subarray(0, 7).toString('latin1'))) {
      throw new MalformedResponse(`not a response: ${JSON.stringify(bytes.subarray(0, 60).toString('latin1'))}`)
    }
    return undefined
  }
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const match = statusLine.exec(first)
  if (!match) throw new MalformedResponse(`bad status line: ${JSON.stringify(first.slice(0, 80))}`)
  const status = Number(match[1])
  const fields = lines.map(parseField)
  const start = headEnd + 4
  const body = readBody(bytes, start, { status, method, fields, ended })
  if (!body) return undefined
  const response = { status, reason: match[2] ?? '', fields, body: body.data, interim: [] }
  return { response, consumed: body.end }
}

function parseField(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new MalformedResponse(`bad header line: ${JSON.stringify(line.slice(0, 80))}`)
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

interface Framed {
  readonly status: number
  readonly method: string
  readonly fields: ReadonlyArray<readonly [string, string]>
  readonly ended: boolean
}

function readBody(bytes: Buffer, start: number, head: Framed): { data: Buffer; end: number } | undefined {
  const bodiless = head.method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304
  if (bodiless) return { data: Buffer.alloc(0), end: start }
  const value = (name: string) => head.fields.find(([field]) => field.toLowerCase() === name)?.[1]
  if (value('transfer-encoding')?.toLowerCase().endsWith('chunked')) return readChunks(bytes, start)
  const length = value('content-length')
  if (length !== undefined) {
    if (!/^\d+$/.test(length)) throw new MalformedResponse(`bad Content-Length: ${length}`)
    const end = start + Number(length)
    return bytes.length < end ? undefined : { data: bytes.subarray(start, end), end }
  }
  return head.ended ? { data: bytes.subarray(start), end: bytes.length } : undefined
}

function readChunks(bytes: Buffer, start: number): { data: Buffer; end: number } | undefined {
  const chunks: Buffer[] = []
  let at = start
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (!Number.isFinite(size)) throw new MalformedResponse('bad chunk size in the response')
    at = lineEnd + 2
    if (size === 0) {
      const end = bytes.subarray(at, at + 2).toString('latin1') === '\r\n' ? at : bytes.indexOf('\r\n\r\n', at)
      if (end < 0 || bytes.length < at + 2) return undefined
      return { data: Buffer.concat(chunks), end: end === at ? at + 2 : end + 4 }
    }
    if (bytes.length < at + size + 2) return undefined
    chunks.push(bytes.subarray(at, at + size))
    at += size + 2
  }
}
