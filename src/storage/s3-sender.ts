// PutObject and UploadPart for received bytes: chunks are written to the socket without being joined, hashed or
// piped. 5xx and broken connections are retried
// within one time limit, after which a successor may send the same part (see the invariant on late writers).

import http from 'node:http'
import https from 'node:https'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { AppError } from '../core/errors.ts'
import { retry } from '../core/retry.ts'
import { KeptHttp, KeptHttps } from './agents.ts'
import { crc32Of } from './crc32.ts'
import { isExpectedStatus, isIncompleteBody, type OnS3Call, s3StoreError } from './s3-client.ts'
import { dateOf, StoreClock } from './s3-clock.ts'
import { awsEscape, queryString, S3Signer } from './s3-signer.ts'

const TOTAL_MS = 25_000
const ATTEMPT_MS = 20_000
/** The pauses are short, so that a recovered store is found soon. */
const RETRIES = { holdMs: TOTAL_MS, firstPauseMs: 100, longestPauseMs: 1000, isPassing: isRetryable }
const PROBE_KEY = 'k'
const CRC32_HEADER = 'x-amz-checksum-crc32'

/** The data of a part that CompleteMultipartUpload needs. */
export type Sent = { etag: string; crc32: string }

type Target = { base: URL; signer: S3Signer; send: typeof http.request; agent: http.Agent }

export class S3Sender {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #maxSockets: number
  readonly #onCall: OnS3Call | undefined
  #target: Promise<Target> | undefined
  readonly #clock = new StoreClock()

  constructor(client: S3Client, bucket: string, maxSockets: number, onCall?: OnS3Call) {
    this.#onCall = onCall
    this.#client = client
    this.#bucket = bucket
    this.#maxSockets = maxSockets
  }

  /** The endpoint of the bucket, by the SDK's rules; resolved once. */
  async #resolve(): Promise<Target> {
    const signed = await getSignedUrl(this.#client, new GetObjectCommand({ Bucket: this.#bucket, Key: PROBE_KEY }))
    const base = new URL(signed)
    base.search = ''
    base.pathname = base.pathname.slice(0, -PROBE_KEY.length)
    const secure = base.protocol === 'https:'
    const settings = { keepAlive: true, maxSockets: this.#maxSockets }
    return {
      base,
      signer: new S3Signer(await this.#client.config.region()),
      send: secure ? https.request : http.request,
      agent: secure ? new KeptHttps(settings) : new KeptHttp(settings),
    }
  }

  /**
   * Sends one object or part with its CRC-32, so that a store refuses an incomplete or damaged body.
   *
   * @param chunks must stay unchanged until this resolves
   * @param options.part of a multipart upload with CRC-32 checksums
   * @throws STORE_UNAVAILABLE, NO_SPACE
   */
  async put(
    key: string,
    chunks: readonly Buffer[],
    bytes: number,
    options: { part?: { multipartId: string; number: number }; metadata?: Record<string, string> } = {},
  ): Promise<Sent> {
    this.#target ??= this.#resolve().catch((error: unknown) => {
      this.#target = undefined // credentials that could not be had now may be had later
      throw error
    })
    const target = await this.#target
    const query: (readonly [string, string])[] =
      options.part === undefined
        ? []
        : [
            ['partNumber', String(options.part.number)],
            ['uploadId', options.part.multipartId],
          ]
    const headers: Record<string, string> = { 'content-length': String(bytes) }
    for (const [name, value] of Object.entries(options.metadata ?? {})) headers[`x-amz-meta-${name}`] = value
    const checksum = crc32Of(chunks)
    headers[CRC32_HEADER] = checksum
    const path = target.base.pathname + awsEscape(key, true)
    // Monotonic: the wall clock may be changed meanwhile.
    const deadline = performance.now() + TOTAL_MS
    const attempt = async (): Promise<Sent> => {
      const startedAtMs = performance.now()
      const done = (ok: boolean) =>
        this.#onCall?.(
          options.part === undefined ? 'PutObject' : 'UploadPart',
          (performance.now() - startedAtMs) / 1000,
          ok,
        )
      try {
        const etag = await this.#attempt(target, path, query, headers, chunks, deadline)
        done(true)
        return { etag, crc32: checksum }
      } catch (error) {
        const status = statusOf(error)
        done(status !== undefined && isExpectedStatus(status))
        throw error
      }
    }
    let clockWasSet = false
    const attemptInTime = async (): Promise<Sent> => {
      try {
        return await attempt()
      } catch (error) {
        const askTime = () => dateOf(target.send, target.base)
        if (clockWasSet || !(await this.#clock.wasWrong(error as Partial<Refusal>, askTime))) throw error
        clockWasSet = true
        return await attempt()
      }
    }
    return await retry(attemptInTime, RETRIES).catch((error: unknown) => {
      throw s3StoreError(error)
    })
  }

  async #attempt(
    { base, signer, send, agent }: Target,
    path: string,
    query: readonly (readonly [string, string])[],
    headers: Record<string, string>,
    chunks: readonly Buffer[],
    deadline: number,
  ): Promise<string> {
    const credentials = await this.#client.config.credentials()
    const signed = signer.headers(
      { method: 'PUT', host: base.host, path, query },
      headers,
      credentials,
      this.#clock.now(),
    )
    const search = query.length === 0 ? '' : `?${queryString(query)}`
    return await new Promise((resolve, reject) => {
      const request = send({
        protocol: base.protocol,
        hostname: base.hostname,
        port: base.port,
        path: path + search,
        method: 'PUT',
        headers: signed,
        agent,
      })
      const timer = setTimeout(
        () => request.destroy(new Error('the store did not accept a part in time')),
        Math.min(ATTEMPT_MS, Math.max(1, deadline - performance.now())),
      )
      const settle = (done: () => void) => {
        clearTimeout(timer)
        done()
      }
      request.on('error', (error) => settle(() => reject(error)))
      request.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          if (text.length < 4096) text += piece
        })
        response.on('error', (error) => settle(() => reject(error)))
        response.on('end', () => {
          const status = response.statusCode ?? 0
          // A response before the end of the body: the store may never read the rest, and the chunks are no longer ours to send.
          if (!request.writableFinished) request.destroy()
          settle(() =>
            status === 200
              ? resolve(response.headers.etag ?? '')
              : reject(refusal(status, text, response.headers.date)),
          )
        })
      })
      // Corked: headers and chunks are sent in as few system calls as possible.
      request.cork()
      for (const chunk of chunks) request.write(chunk)
      request.uncork()
      request.end()
    })
  }

  async destroy(): Promise<void> {
    if (this.#target !== undefined) (await this.#target).agent.destroy()
  }
}

/** In the form of the SDK's errors, so that one function reads both. `date`: the Date header. */
type Refusal = Error & { Code: string; $metadata: { httpStatusCode: number }; date: string | undefined }

function refusal(status: number, body: string, date: string | undefined): Refusal {
  const code = /<Code>([^<]+)<\/Code>/.exec(body)?.[1] ?? `HTTP ${status}`
  const message = /<Message>([^<]+)<\/Message>/.exec(body)?.[1] ?? code
  return Object.assign(new Error(message), {
    name: code,
    Code: code,
    $metadata: { httpStatusCode: status },
    date,
  })
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

function isRetryable(error: unknown): boolean {
  if (error instanceof AppError) return false
  const status = statusOf(error)
  return status === undefined || status >= 500 || status === 429 || status === 408 || isIncompleteBody(error)
}
