// A light tus client that behaves like tus-js-client 4 in a browser: its requests, its retries, when it creates a new
// upload, and when it gives up. Thousands of them run in one process.

import type { Response } from '../../conformance/wire/message.ts'
import { field } from '../../conformance/wire/message.ts'
import { problemCode } from '../../lib/problem.ts'
import { AT_STAKE_BYTES, type UploadHooks, willRetry } from '../../lib/tus-upload.ts'
import type { RehearsalFile } from '../files/rehearsal-file.ts'
import type { Line as PlannedLine } from '../plan/lines.ts'
import { Away, Refused } from './ends.ts'
import { Line, LineBroken } from './line.ts'
import type { Pacer } from './pacer.ts'

/** tus-js-client's defaults; after progress the schedule starts again. */
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000]
/** After a failure the user retries by hand, and the upload resumes. */
const PRESS_AGAIN_MS = 5000
/** Longer than the service holds a request while Redis is unavailable. */
const ANSWER_MS = 40_000
const LEFT_THE_LINE_MS = 300
const OCTETS = 'application/offset+octet-stream'

export type LeanJob = UploadHooks & {
  endpoint: string
  file: RehearsalFile
  metadata: Record<string, string>
  ticket: () => Promise<string>
  line: PlannedLine
  pacer: Pacer
  signal: AbortSignal
  /** Called when the server acknowledges new bytes. */
  onProgress?: (bytes: number) => void
}

export type LeanResult = {
  /** undefined: every byte was acknowledged. */
  failure: string | undefined
  failureCode: string | undefined
  url: string | undefined
  resumes: number
  breaks: number
  restarts: number
  sentBytes: number
  /** How often the client gave up and its user retried by hand. */
  gaveUp: number
}

/** Never rejects. */
export async function uploadLean(job: LeanJob): Promise<LeanResult> {
  return await new LeanUpload(job).run()
}

class LeanUpload {
  readonly #job: LeanJob
  readonly #endpoint: URL
  readonly #breaks: PlannedLine['breaks']
  readonly #abandoned: (() => void)[] = []
  readonly #result: LeanResult = {
    failure: undefined,
    failureCode: undefined,
    url: undefined,
    resumes: 0,
    breaks: 0,
    restarts: 0,
    sentBytes: 0,
    gaveUp: 0,
  }
  #line: Line | undefined
  #ticket = ''
  #offset = 0
  #acknowledged = 0
  /** The upload's URL is known: the next request is a HEAD. */
  #resume = false
  #created = false
  #atStake = false

  constructor(job: LeanJob) {
    this.#job = job
    this.#endpoint = new URL(job.endpoint)
    this.#breaks = [...job.line.breaks]
  }

  async run(): Promise<LeanResult> {
    let attempt = 0
    let offsetBeforeRetry = 0
    const giveUp = () => this.#line?.close()
    this.#job.signal.addEventListener('abort', giveUp)
    try {
      for (;;) {
        if (this.#job.signal.aborted) return this.#end('given up: out of time')
        try {
          await this.#step()
          return this.#end(undefined)
        } catch (error) {
          const why = await this.#leave(error)
          if (why instanceof Refused && !willRetry(why.status)) return this.#end(why.message, why.code)
          if (this.#offset > offsetBeforeRetry) attempt = 0
          offsetBeforeRetry = this.#offset
          const delayMs = RETRY_DELAYS_MS[attempt]
          attempt = delayMs === undefined ? 0 : attempt + 1
          if (delayMs === undefined) this.#result.gaveUp += 1
          else this.#job.onRetry?.(why.message)
          await this.#pause(delayMs ?? PRESS_AGAIN_MS)
        }
      }
    } catch (error) {
      return this.#end(error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      this.#job.signal.removeEventListener('abort', giveUp)
      this.#line?.close()
      for (const end of this.#abandoned) end()
    }
  }

  /** Sends from the offset to the last byte. Throws if that fails. */
  async #step(): Promise<void> {
    if (this.#result.url !== undefined && this.#resume) await this.#head()
    if (this.#result.url === undefined) await this.#post()
    this.#resume = true
    while (this.#offset < this.#job.file.bytes) await this.#patch()
  }

  async #post(): Promise<void> {
    const { file, metadata, ticket } = this.#job
    this.#ticket = await ticket().catch((error: unknown) => {
      throw new LineBroken(error instanceof Error ? error.message : String(error))
    })
    const pairs = Object.entries(metadata).map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    const response = await this.#ask('POST', this.#endpoint.pathname, [
      `Upload-Length: ${file.bytes}`,
      `Upload-Metadata: ${pairs.join(',')}`,
      'Content-Length: 0',
    ])
    const location = field(response, 'location')
    if (response.status !== 201 || location === undefined) throw new Refused('POST', response)
    if (this.#created) this.#atStake = true
    this.#created = true
    this.#result.url = new URL(location, this.#endpoint).href
    this.#offset = Number(field(response, 'upload-offset') ?? 0)
  }

  async #head(): Promise<void> {
    const response = await this.#ask('HEAD', this.#path(), [])
    const offset = Number(field(response, 'upload-offset') ?? Number.NaN)
    if (response.status === 423) throw new Refused('HEAD', response)
    if (response.status >= 300 || !Number.isFinite(offset)) {
      // As tus-js-client does: any other status means that the upload does not exist, so a new one is created.
      this.#result.url = undefined
      this.#offset = 0
      return
    }
    this.#result.resumes += 1
    this.#acknowledge(offset)
  }

  async #patch(): Promise<void> {
    const { file, line, pacer } = this.#job
    const from = this.#offset
    const socket = await this.#connected()
    socket.send(
      this.#request('PATCH', this.#path(), [
        `Upload-Offset: ${from}`,
        `Content-Type: ${OCTETS}`,
        `Content-Length: ${file.bytes - from}`,
      ]),
    )
    const next = this.#breaks[0]
    const breakAt = next === undefined ? Number.POSITIVE_INFINITY : next.at * file.bytes
    const end = await socket.pour(
      {
        bytes: file.bytes - from,
        at: (position, most) => file.at(from + position, most),
        bytesPerSecond: line.bytesPerSecond,
        onSent: (bytes, position) => {
          this.#result.sentBytes += bytes
          this.#job.onBytes?.(bytes)
          return from + position >= breakAt && from + position < file.bytes
        },
      },
      pacer,
    )
    if (end === 'stopped' && next !== undefined) {
      // Bytes handed to the connection before it broke may have arrived; only unsent bytes are surely missing.
      await this.#pause(LEFT_THE_LINE_MS)
      this.#break(socket, next)
    }
    const sentMs = performance.now()
    const response = await socket.answer('PATCH', ANSWER_MS)
    this.#count('PATCH', response, sentMs)
    if (response.status !== 204) throw new Refused('PATCH', response)
    if (from === 0 && this.#atStake) this.#result.restarts += 1
    this.#acknowledge(Number(field(response, 'upload-offset') ?? Number.NaN))
  }

  #break(socket: Line, { kind, awayMs }: PlannedLine['breaks'][number]): never {
    this.#breaks.shift()
    this.#result.breaks += 1
    if (this.#result.sentBytes >= AT_STAKE_BYTES) this.#atStake = true
    this.#job.onCut?.(this.#offset)
    this.#line = undefined
    if (kind === 'drop') socket.reset()
    else this.#abandoned.push(socket.abandon())
    throw new Away(awayMs)
  }

  #acknowledge(offset: number): void {
    if (!Number.isFinite(offset)) throw new Error('a response without Upload-Offset')
    // An acknowledged offset never decreases (the service's first guarantee).
    if (offset < this.#acknowledged && this.#result.url !== undefined) this.#result.restarts += 1
    if (offset > 0) this.#atStake = true
    this.#job.onProgress?.(Math.max(0, offset - this.#acknowledged))
    this.#offset = offset
    this.#acknowledged = Math.max(this.#acknowledged, offset)
  }

  /** A request without a body; its time includes the connection set-up. */
  async #ask(method: string, path: string, fields: string[]): Promise<Response> {
    const startedMs = performance.now()
    const socket = await this.#connected()
    socket.send(this.#request(method, path, fields))
    const response = await socket.answer(method, ANSWER_MS)
    this.#count(method, response, startedMs)
    return response
  }

  #count(method: string, response: Response, sinceMs: number): void {
    const { status, body } = response
    this.#job.onAnswer?.({
      method,
      status,
      milliseconds: performance.now() - sinceMs,
      offset: undefined,
      code: status < 400 ? undefined : (problemCode(body.toString('utf8')) ?? `HTTP_${status}`),
    })
    if (field(response, 'connection')?.toLowerCase() === 'close') this.#hangUp()
  }

  async #connected(): Promise<Line> {
    if (this.#line === undefined || this.#line.broken) this.#line = await Line.open(this.#endpoint)
    return this.#line
  }

  #request(method: string, path: string, fields: string[]): string {
    const lines = [
      `${method} ${path} HTTP/1.1`,
      `Host: ${this.#endpoint.host}`,
      'Tus-Resumable: 1.0.0',
      `Authorization: Bearer ${this.#ticket}`,
      ...fields,
    ]
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  #path(): string {
    return new URL(this.#result.url ?? '', this.#endpoint).pathname
  }

  #hangUp(): void {
    this.#line?.close()
    this.#line = undefined
  }

  /** After a failure: drops the connection, and waits for a planned absence. */
  async #leave(error: unknown): Promise<Error> {
    if (error instanceof Away) {
      await this.#pause(error.ms)
      return error
    }
    this.#hangUp()
    if (error instanceof Refused || error instanceof LineBroken) return error
    throw error
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#job
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }

  #end(failure: string | undefined, code?: string): LeanResult {
    return { ...this.#result, failure, failureCode: code }
  }
}
