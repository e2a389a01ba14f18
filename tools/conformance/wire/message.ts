// HTTP/1.1 messages as bytes. Nothing is normalised on the way out: a test must be able to send two
// Upload-Offset headers, an empty one, or a request target that no URL class would let through.

/** Header fields of a request: a list is sent as several lines, `null` removes a default of that name. */
export type Headers = Readonly<Record<string, string | readonly string[] | null>>

/** How the body's end is marked: Content-Length, chunked, or not at all (the caller writes what it likes). */
export type Framing = 'length' | 'chunked' | 'none'

export interface RequestHead {
  readonly method: string
  /** The request target exactly as it goes on the wire. */
  readonly target: string
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
}

export interface Response {
  readonly status: number
  readonly reason: string
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Buffer
  /** Interim answers (100, 102, 103, 104) that came before this one. */
  readonly interim: readonly number[]
}

/** All values of a field, in the order of arrival. */
export function fieldValues(response: Response, name: string): string[] {
  const wanted = name.toLowerCase()
  return response.fields.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value)
}

/** The field's value, several lines joined by ", " as RFC 9110 section 5.3 says; undefined when absent. */
export function field(response: Response, name: string): string | undefined {
  const values = fieldValues(response, name)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Lays `own` over `defaults`, comparing names without case. */
export function mergeHeaders(defaults: Headers, own: Headers): Array<readonly [string, string]> {
  const overridden = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  const kept = Object.entries(defaults).filter(([name]) => !overridden.has(name.toLowerCase()))
  const fields: Array<readonly [string, string]> = []
  for (const [name, value] of [...kept, ...Object.entries(own)]) {
    if (value === null) continue
    for (const line of typeof value === 'string' ? [value] : value) fields.push([name, line])
  }
  return fields
}

/** Latin-1, because header bytes above 127 must reach the server as they are. */
export function encodeHead(head: RequestHead): Buffer {
  const lines = head.fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${head.method} ${head.target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

/** One chunk of a chunked body; an empty one would end the body, so it becomes nothing. */
export function encodeChunk(data: Buffer): Buffer {
  if (data.length === 0) return data
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
}

/** The end of a chunked body, with trailer fields if any. */
export function encodeLastChunk(trailers: Headers = {}): Buffer {
  const lines = mergeHeaders({}, trailers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`0\r\n${lines.join('')}\r\n`, 'latin1')
}
