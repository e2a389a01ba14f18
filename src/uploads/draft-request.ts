// The IETF draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload), where RESUMABLE_UPLOADS=draft. A request of the draft
// becomes the tus request that means the same, and its answer is told in the draft's words: there is one way to receive bytes.
// Quoted is draft -05, which has interop version 6.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { AppError, type Problem, problem } from '../core/errors.ts'
import { OFFSET_TYPE, type TusMethod } from './tus-words.ts'

/** What tus-js-client and tusd speak too. 3 has Upload-Incomplete, and all before 6 do without a type of PATCH and limits. */
const DRAFT_VERSIONS = ['3', '4', '5', '6'] as const
type DraftVersion = (typeof DRAFT_VERSIONS)[number]

const PARTIAL_TYPE = 'application/partial-upload'
/** They describe how bytes are sent, and not the file. */
const NO_FILE_TYPES = [PARTIAL_TYPE, OFFSET_TYPE, 'application/octet-stream']

/** Of tus alone: a client of the draft knows nothing of them. */
const TUS_ONLY = new Set(['tus-resumable', 'upload-expires', 'upload-metadata', 'upload-defer-length', 'upload-concat'])

const PROBLEM_TYPES = 'https://iana.org/assignments/http-problem-types#'
const INCONSISTENT = `${PROBLEM_TYPES}inconsistent-upload-length`

/** The request as one of the draft; undefined: it is of tus, or of a version that nobody here speaks. */
export function draftRequest(raw: IncomingMessage, method: TusMethod | undefined): DraftRequest | undefined {
  const { 'upload-draft-interop-version': version, 'tus-resumable': tus } = raw.headers
  const known = tus === undefined ? DRAFT_VERSIONS.find((one) => one === version) : undefined
  // An upload begins with any method that has a body.
  return known === undefined
    ? undefined
    : new DraftRequest(raw, known, raw.method === 'PUT' ? (method ?? 'POST') : method)
}

export class DraftRequest {
  readonly #raw: IncomingMessage
  readonly #version: DraftVersion
  readonly method: TusMethod | undefined
  /** Headers of the tus request. */
  readonly headers: IncomingHttpHeaders = { 'tus-resumable': '1.0.0' }
  /** "the end of the request content is the end of the upload" */
  readonly completes: boolean
  /** Why it is refused before it is looked at as a tus request. */
  readonly refusal: AppError | undefined
  #maxBytes: number | undefined

  constructor(raw: IncomingMessage, version: DraftVersion, method: TusMethod | undefined) {
    this.#raw = raw
    this.#version = version
    this.method = method
    const { headers } = raw
    const said = version === '3' ? headers['upload-incomplete'] : headers['upload-complete']
    this.completes = said === this.#says(true)
    const isSaid = said === '?0' || said === '?1'
    if (method === 'POST' || method === 'PATCH')
      this.refusal = isSaid ? this.#translate(method) : this.#invalid(this.#completeName)
    // "The server MUST reject requests with either of these fields by responding with a 400 (Bad Request) status code."
    else if (method === 'HEAD' || method === 'DELETE')
      this.refusal = this.#unwanted(
        this.#completeName,
        'Upload-Offset',
        ...(method === 'HEAD' ? ['Upload-Length'] : []),
      )
  }

  get #completeName(): string {
    return this.#version === '3' ? 'Upload-Incomplete' : 'Upload-Complete'
  }

  #says(complete: boolean): string {
    return complete === (this.#version !== '3') ? '?1' : '?0'
  }

  #unwanted(...names: string[]): AppError | undefined {
    const unwanted = names.find((name) => this.#raw.headers[name.toLowerCase()] !== undefined)
    return unwanted === undefined ? undefined : this.#invalid(unwanted)
  }

  #invalid(header: string): AppError {
    const name = header.toLowerCase()
    const actual = this.#raw.headers[name]
    return new AppError('TUS_HEADER_INVALID', {
      details: { header: name, actual: typeof actual === 'string' ? actual.slice(0, 100) : null },
    })
  }

  #translate(method: 'POST' | 'PATCH'): AppError | undefined {
    const { headers } = this
    const sent = this.#raw.headers
    const type = mediaType(sent['content-type'])
    const length = contentLength(this.#raw)
    if (method === 'POST') {
      const unwanted = this.#unwanted('Upload-Offset')
      if (unwanted !== undefined) return unwanted
      headers['upload-metadata'] = metadata(sent, type)
      if (length !== 0) headers['content-type'] = OFFSET_TYPE
    } else {
      if (this.#version === '6' && type !== PARTIAL_TYPE)
        return new AppError('MEDIA_TYPE_UNSUPPORTED', { details: { expected: PARTIAL_TYPE } })
      headers['content-type'] = OFFSET_TYPE
      headers['upload-offset'] = one(sent['upload-offset'])
    }
    const declared = one(sent['upload-length'])
    const start = method === 'POST' ? 0 : Number(headers['upload-offset'])
    // "the upload's final size is the sum of the upload's offset and the Content-Length header field"
    const isEnd = this.completes && length !== undefined && Number.isInteger(start)
    const whole = isEnd ? String(start + length) : undefined
    if (declared !== undefined && whole !== undefined && declared !== whole) return this.#invalid('Upload-Length')
    if (declared !== undefined || whole !== undefined) headers['upload-length'] = declared ?? whole
    else if (method === 'POST') headers['upload-defer-length'] = '1'
    return undefined
  }

  /** The most bytes that this upload may have. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes
  }

  /**
   * The upload exists, and its body is still to come: 104 (Upload Resumption Supported). Node writes no such answer. Behind an answer that is
   * not finished the response has no socket yet: then there is none, and the client gets the URL with the last answer.
   */
  announce(res: ServerResponse, location: string, tus: Record<string, string>): void {
    const { socket } = res
    // "A server MUST NOT send a 1xx response to an HTTP/1.0 client" (RFC 9110, 15.2).
    if (socket === null || !socket.writable || res.headersSent || this.#raw.httpVersion !== '1.1') return
    const headers = { Location: location, ...this.#common(tus) }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 104 Upload Resumption Supported\r\n${lines.join('')}\r\n`)
  }

  /** Headers of the answer, from those of the tus answer. */
  answer(method: string, status: number, tus: Record<string, string>): Record<string, string> {
    const said = Object.entries(tus).filter(([name]) => !TUS_ONLY.has(name.toLowerCase()))
    const headers = { ...Object.fromEntries(said), ...this.#common(tus) }
    if (status === 409 && tus['Upload-Offset'] !== undefined) headers[this.#completeName] = this.#says(false)
    if (status >= 300) return headers
    // While bytes are missing, every tus answer says when the upload expires.
    if (method === 'POST' || method === 'PATCH' || method === 'HEAD')
      headers[this.#completeName] = this.#says(tus['Upload-Expires'] === undefined)
    if (method === 'POST' && headers['upload-offset'] === undefined) headers['Upload-Offset'] ??= '0'
    return headers
  }

  #common(tus: Record<string, string>): Record<string, string> {
    const headers: Record<string, string> = { 'Upload-Draft-Interop-Version': this.#version }
    if (this.#version !== '6' || this.#maxBytes === undefined) return headers
    const limits = [`max-size=${this.#maxBytes}`]
    const expiresAtMs = Date.parse(tus['Upload-Expires'] ?? '')
    if (expiresAtMs > 0) limits.push(`expires=${Math.max(0, Math.floor((expiresAtMs - Date.now()) / 1000))}`)
    headers['Upload-Limit'] = limits.join(', ')
    return headers
  }

  /** A refusal with the status that the draft asks for, where it is not that of tus. */
  seen({ code, details }: AppError): AppError | undefined {
    // "the server MUST stop appending bytes … and reject the request with a 400 (Bad Request) status code"
    if (code === 'UPLOAD_LENGTH_EXCEEDED') return new AppError(code, { status: 400, details })
    // "If the server does not consider the upload resource to be active, it MUST respond with a 404 (Not Found) status code."
    if (code === 'UPLOAD_EXPIRED' || code === 'UPLOAD_CANCELLED') return new AppError(code, { status: 404, details })
    return undefined
  }

  /** A refusal as clients of the draft look for it: registered types in the place of ours; `code` is the same. */
  problem(error: AppError): Problem {
    const document = problem(error)
    const { code, details } = error
    if (code === 'OFFSET_MISMATCH')
      return {
        ...document,
        type: `${PROBLEM_TYPES}mismatching-upload-offset`,
        'expected-offset': details['offset'],
        'provided-offset': Number(this.headers['upload-offset']),
      }
    if (code === 'UPLOAD_FINISHED') return { ...document, type: `${PROBLEM_TYPES}completed-upload` }
    const isLength = code === 'TUS_HEADER_INVALID' && details['header'] === 'upload-length'
    return isLength || code === 'UPLOAD_LENGTH_EXCEEDED' ? { ...document, type: INCONSISTENT } : document
  }
}

/** Undefined: chunked. */
function contentLength({ headers }: IncomingMessage): number | undefined {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined
}

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function mediaType(value: string | undefined): string {
  return value?.split(';')[0]?.trim().toLowerCase() ?? ''
}

/** Upload-Metadata, with name and type of the file from Content-Disposition and Content-Type where it does not have them. */
function metadata(sent: IncomingHttpHeaders, type: string): string | undefined {
  const given = one(sent['upload-metadata'])
  const pairs = given === undefined ? [] : [given]
  const names = (given ?? '').split(',').map((pair) => pair.trim().split(' ')[0])
  const add = (names_: [string, string], value: string | undefined) => {
    if (value === undefined || value === '' || names_.some((name) => names.includes(name))) return
    pairs.push(`${names_[0]} ${Buffer.from(value).toString('base64')}`)
  }
  add(['filename', 'name'], fileName(sent['content-disposition']))
  add(['filetype', 'type'], NO_FILE_TYPES.includes(type) ? undefined : type)
  return pairs.length === 0 ? undefined : pairs.join(',')
}

/** `filename*` (RFC 8187, UTF-8) before `filename`. What cannot be read is no name: names decide nothing. */
function fileName(disposition: string | undefined): string | undefined {
  if (disposition === undefined) return undefined
  const encoded = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1]
  if (encoded !== undefined) {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return undefined
    }
  }
  const quoted = /;\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1]
  const plain = quoted?.replace(/\\(.)/g, '$1') ?? /;\s*filename\s*=\s*([^\s;"]+)/i.exec(disposition)?.[1]
  // Node gives headers as Latin-1; clients write UTF-8.
  return plain === undefined ? undefined : Buffer.from(plain, 'latin1').toString('utf8')
}
