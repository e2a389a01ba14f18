// AWS Signature Version 4 for requests with bytes. The SDK hashes the whole body before it signs
// and builds a middleware stack per call; here the payload is unsigned, and the key derived from the
// secret is cached for its day (docs.aws.amazon.com, "Signature Version 4 signing process").

import { createHash, createHmac } from 'node:crypto'

export type S3Credentials = {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** Escapes everything except RFC 3986 unreserved characters, and optionally slashes. */
export function awsEscape(text: string, keepSlashes = false): string {
  const escaped = encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return keepSlashes ? escaped.replaceAll('%2F', '/') : escaped
}

export class S3Signer {
  readonly #region: string
  #day = ''
  #secret = ''
  #key: Buffer = Buffer.alloc(0)

  constructor(region: string) {
    this.#region = region
  }

  /**
   * Headers of a signed request.
   *
   * @param path already escaped
   * @param query names and values, unescaped, sorted by name
   */
  headers(
    request: { method: string; host: string; path: string; query: readonly (readonly [string, string])[] },
    extra: Record<string, string>,
    credentials: S3Credentials,
    nowMs: number,
  ): Record<string, string> {
    const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const day = stamp.slice(0, 8)
    const headers: Record<string, string> = {
      ...extra,
      host: request.host,
      'x-amz-content-sha256': UNSIGNED_PAYLOAD,
      'x-amz-date': stamp,
      ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
    }
    const names = Object.keys(headers)
      .filter((name) => name === 'host' || name.startsWith('x-amz-'))
      .sort()
    const canonical = [
      request.method,
      request.path,
      queryString(request.query),
      ...names.map((name) => `${name}:${headers[name]?.trim()}`),
      '',
      names.join(';'),
      UNSIGNED_PAYLOAD,
    ].join('\n')
    const scope = `${day}/${this.#region}/s3/aws4_request`
    const digest = createHash('sha256').update(canonical).digest('hex')
    const signature = createHmac('sha256', this.#keyFor(day, credentials.secretAccessKey))
      .update(`AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${digest}`)
      .digest('hex')
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
    return headers
  }

  #keyFor(day: string, secret: string): Buffer {
    if (day !== this.#day || secret !== this.#secret) {
      const dated = hmac(`AWS4${secret}`, day)
      this.#key = hmac(hmac(hmac(dated, this.#region), 's3'), 'aws4_request')
      this.#day = day
      this.#secret = secret
    }
    return this.#key
  }
}

export function queryString(query: readonly (readonly [string, string])[]): string {
  return query.map(([name, value]) => `${awsEscape(name)}=${awsEscape(value)}`).join('&')
}
