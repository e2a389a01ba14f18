// One upload with tus-js-client, configured as in examples/tus-js-client, on a connection of its own that can be cut.

import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { DefaultHttpStack, type DetailedError, type HttpRequest, type HttpResponse, Upload } from 'tus-js-client'
import { bodyReader } from './body.ts'
import type { ByteAllowance } from './byte-allowance.ts'
import { problemCode, problemInWords } from './problem.ts'
import type { Source } from './source.ts'

/** Longer in total than a restart of the service; after progress the schedule starts again. */
export const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000, 60_000]

/**
 * If this many bytes were sent before the connection broke, the upload must not restart from byte 0, acknowledged or not.
 * Fewer bytes may have been in transit, or in the memory of a process that was killed; they were not acknowledged.
 */
export const AT_STAKE_BYTES = 256 * 1024

export type WireAnswer = {
  method: string
  status: number
  /** Code of the refusal's problem document; for HEAD, which has no body, the status. */
  code: string | undefined
  /** POST, HEAD: from sending to the response. PATCH: from its last byte, if all were sent. */
  milliseconds: number
  offset: number | undefined
}

export type UploadHooks = {
  onAnswer?: (answer: WireAnswer) => void
  onCut?: (offset: number) => void
  onRetry?: (reason: string) => void
  onBytes?: (bytes: number) => void
}

export type UploadJob = UploadHooks & {
  endpoint: string
  source: Source
  metadata: Record<string, string>
  /** Called before every creation, so that no creation uses an old ticket. */
  ticket: () => Promise<string>
  cutAt?: readonly number[]
  bytesPerSecond?: number | undefined
  /** Of all connections of this process together. */
  allowance?: ByteAllowance | undefined
  /** Gives up when it aborts. */
  signal?: AbortSignal
}

export type UploadResult = {
  /** undefined: every byte was acknowledged. */
  failure: string | undefined
  /** Error code of the permanent refusal, if there was one. */
  failureCode: string | undefined
  url: string | undefined
  /** Offsets that HEAD returned for resuming. */
  resumedAt: number[]
  cuts: number
  /** How often the upload restarted from byte 0 although it had progressed, or existed already. */
  restarts: number
  /** Bytes sent, repeated ones included. */
  sentBytes: number
}

/** Resolves when the upload is complete, permanently refused, or given up; never rejects. */
export async function uploadByTus(job: UploadJob): Promise<UploadResult> {
  const options = { keepAlive: true, keepAliveMsecs: 10_000 }
  const agent = job.endpoint.startsWith('https:') ? new TlsAgent(options) : new Agent(options)
  try {
    return await new TusUpload(job, agent).run()
  } finally {
    agent.destroy()
  }
}

class TusUpload {
  readonly #job: UploadJob
  readonly #agent: Agent
  readonly #startedMs = new WeakMap<HttpRequest, number>()
  readonly #result: UploadResult = {
    failure: undefined,
    failureCode: undefined,
    url: undefined,
    resumedAt: [],
    cuts: 0,
    restarts: 0,
    sentBytes: 0,
  }
  #created = false
  /** A restart would count: bytes were acknowledged, the connection was cut after many bytes, or it was created twice. */
  #atStake = false
  #bodyEndMs: number | undefined
  #ticket = ''

  constructor(job: UploadJob, agent: Agent) {
    this.#job = job
    this.#agent = agent
  }

  run(): Promise<UploadResult> {
    const { source, cutAt, bytesPerSecond, allowance, signal, endpoint, metadata, onBytes, onCut } = this.#job
    const result = this.#result
    return new Promise((resolve) => {
      const settle = (failure: string | undefined, code?: string) => {
        signal?.removeEventListener('abort', giveUp)
        resolve({ ...result, failure, failureCode: code, url: upload.url ?? undefined })
      }
      const giveUp = () => {
        void upload.abort()
        settle('given up: out of time')
      }
      const upload = new Upload(placeholder, {
        endpoint,
        metadata,
        retryDelays: RETRY_DELAYS_MS,
        removeFingerprintOnSuccess: true,
        fingerprint: async () => '', // nothing is stored on disk: a process makes each upload once
        storeFingerprintForResuming: false,
        httpStack: new DefaultHttpStack({ agent: this.#agent }),
        fileReader: bodyReader({
          source,
          cutAt,
          bytesPerSecond,
          allowance,
          onBytes: (bytes) => {
            result.sentBytes += bytes
            onBytes?.(bytes)
          },
          onCut: (offset) => {
            result.cuts += 1
            if (result.sentBytes >= AT_STAKE_BYTES) this.#atStake = true
            cutLine(this.#agent)
            onCut?.(offset)
          },
          onEnd: () => {
            this.#bodyEndMs = performance.now()
          },
        }),
        onBeforeRequest: (request) => this.#before(request),
        onAfterResponse: (request, response) => this.#after(request, response),
        onShouldRetry: (error) => this.#shouldRetry(error),
        onError: (error) => {
          const response = 'originalResponse' in error ? error.originalResponse : null
          if (response === null) settle(error.message)
          else settle(`${response.getStatus()} ${problemInWords(response.getBody())}`, codeOf(response))
        },
        onSuccess: () => settle(undefined),
      })
      if (signal?.aborted) return giveUp()
      signal?.addEventListener('abort', giveUp, { once: true })
      upload.start()
    })
  }

  async #before(request: HttpRequest): Promise<void> {
    const method = request.getMethod()
    if (method === 'POST') this.#ticket = await this.#job.ticket()
    request.setHeader('Authorization', `Bearer ${this.#ticket}`)
    this.#bodyEndMs = undefined
    this.#startedMs.set(request, performance.now())
  }

  #after(request: HttpRequest, response: HttpResponse): void {
    const method = request.getMethod()
    const status = response.getStatus()
    const nowMs = performance.now()
    const fromMs = (method === 'PATCH' ? this.#bodyEndMs : undefined) ?? this.#startedMs.get(request) ?? nowMs
    const offset = Number.parseInt(response.getHeader('Upload-Offset') ?? '', 10)
    this.#job.onAnswer?.({
      method,
      status,
      milliseconds: nowMs - fromMs,
      offset: Number.isNaN(offset) ? undefined : offset,
      code: status < 400 ? undefined : codeOf(response),
    })
    // A PATCH at 0 that got 409 is no restart: HEAD was answered just before the last bytes were stored.
    const fromZero = method === 'PATCH' && request.getHeader('Upload-Offset') === '0' && status < 300
    if (fromZero && this.#atStake) this.#result.restarts += 1
    if (method === 'POST' && status === 201) {
      if (this.#created) this.#atStake = true
      this.#created = true
    }
    if (!Number.isNaN(offset) && offset > 0) this.#atStake = true
    if (method === 'HEAD' && status < 300 && !Number.isNaN(offset)) this.#result.resumedAt.push(offset)
    // The client treats a 5xx to HEAD as "gone" and creates a new upload; thrown here, it counts as a network error and is retried.
    if (method === 'HEAD' && status >= 500) throw new Error(`HEAD answered ${status}`)
  }

  #shouldRetry(error: DetailedError): boolean {
    const status = error.originalResponse?.getStatus() ?? 0
    const again = willRetry(status)
    if (again) this.#job.onRetry?.(status === 0 ? 'connection lost' : `status ${status}`)
    return again
  }
}

/** Statuses that are retried; 0 is a lost connection. By default the client does not retry 429, which proxies send. */
export function willRetry(status: number): boolean {
  return status < 400 || status >= 500 || [409, 423, 429].includes(status)
}

/** The client only passes it to `fileReader`. */
const placeholder = Buffer.alloc(0)

/** Closes both directions immediately, as when a cable is unplugged. */
function cutLine(agent: Agent): void {
  for (const sockets of Object.values(agent.sockets)) for (const socket of sockets ?? []) socket.destroy()
}

function codeOf(response: HttpResponse): string {
  return problemCode(response.getBody()) ?? `HTTP_${response.getStatus()}`
}
