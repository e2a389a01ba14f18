// One upload with tus-js-client, configured as the README tells portals to, on a line of its own that can be cut.

import { Agent } from 'node:http'
import { DefaultHttpStack, type DetailedError, type HttpRequest, type HttpResponse, Upload } from 'tus-js-client'
import { bodyReader } from './body.ts'
import { problemCode, problemInWords } from './problem.ts'
import type { Source } from './source.ts'

/** Long enough to outlast a restart of the service; the count begins anew whenever bytes advanced. */
export const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000, 60_000]

/**
 * Sent so much before its line broke, an upload must not begin again from byte 0, acknowledged or not. Less may have been
 * on its way, or in the memory of a process that was killed: nobody was told that it had arrived.
 */
export const AT_STAKE_BYTES = 256 * 1024

export type WireAnswer = {
  method: string
  status: number
  /** Of a refusal's problem document; a HEAD has no body, and says its status. */
  code: string | undefined
  /** POST, HEAD: from sending to the answer. PATCH: from its last byte, where all were sent. */
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
  /** Called before every creation, so that no creation carries an old ticket. */
  ticket: () => Promise<string>
  cutAt?: readonly number[]
  bytesPerSecond?: number | undefined
  /** Gives up when it aborts. */
  signal?: AbortSignal
}

export type UploadResult = {
  /** undefined: every byte was acknowledged. */
  failure: string | undefined
  /** The code of the refusal that was final, if one was. */
  failureCode: string | undefined
  url: string | undefined
  /** Offsets that a HEAD gave to go on from. */
  resumedAt: number[]
  cuts: number
  /** How often the upload began again from byte 0 although it had got further, or had been created already. */
  restarts: number
  /** Bytes handed to the line, those sent twice included. */
  sentBytes: number
}

/** Resolves when the upload is done, refused for good, or given up; it never rejects. */
export async function uploadByTus(job: UploadJob): Promise<UploadResult> {
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 10_000 })
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
  /** There is something to lose: bytes were acknowledged, the line was cut when much was sent, or it was created twice. */
  #atStake = false
  #bodyEndMs: number | undefined
  #ticket = ''

  constructor(job: UploadJob, agent: Agent) {
    this.#job = job
    this.#agent = agent
  }

  run(): Promise<UploadResult> {
    const { source, cutAt, bytesPerSecond, signal, endpoint, metadata, onBytes, onCut } = this.#job
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
        fingerprint: async () => '', // nothing is remembered on disk: a process makes each upload once
        storeFingerprintForResuming: false,
        httpStack: new DefaultHttpStack({ agent: this.#agent }),
        fileReader: bodyReader({
          source,
          cutAt,
          bytesPerSecond,
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
    // Refused with 409 it was no restart: a HEAD was answered just before the last bytes were stored.
    const fromZero = method === 'PATCH' && request.getHeader('Upload-Offset') === '0' && status < 300
    if (fromZero && this.#atStake) this.#result.restarts += 1
    if (method === 'POST' && status === 201) {
      if (this.#created) this.#atStake = true
      this.#created = true
    }
    if (!Number.isNaN(offset) && offset > 0) this.#atStake = true
    if (method === 'HEAD' && status < 300 && !Number.isNaN(offset)) this.#result.resumedAt.push(offset)
    // The client would take a 5xx to a HEAD for "gone" and begin again; thrown here it is a lost line, tried again.
    if (method === 'HEAD' && status >= 500) throw new Error(`HEAD answered ${status}`)
  }

  #shouldRetry(error: DetailedError): boolean {
    const status = error.originalResponse?.getStatus() ?? 0
    const again = willRetry(status)
    if (again) this.#job.onRetry?.(status === 0 ? 'line lost' : `answer ${status}`)
    return again
  }
}

/** What the client asks again for; 0 is a lost line. Of itself it would take 429, which proxies send, as final. */
export function willRetry(status: number): boolean {
  return status < 400 || status >= 500 || [409, 423, 429].includes(status)
}

/** The client hands it to `fileReader` and looks no further. */
const placeholder = Buffer.alloc(0)

/** Both directions at once, whatever is on its way: what a client sees when a cable is pulled. */
function cutLine(agent: Agent): void {
  for (const sockets of Object.values(agent.sockets)) for (const socket of sockets ?? []) socket.destroy()
}

function codeOf(response: HttpResponse): string {
  return problemCode(response.getBody()) ?? `HTTP_${response.getStatus()}`
}
