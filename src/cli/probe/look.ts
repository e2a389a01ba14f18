// One look at the service from outside: whether its status is answered, and what came instead. Through whatever is in front
// of it: names, balancer, certificate.

import http from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'

const TIMEOUT_MS = 10_000
const MAX_BYTES = 256 * 1024
const DAY_MS = 86_400_000

export type Target = {
  /** Of the service: `https://upload.example`. */
  url: URL
  /** Authorities besides the well-known ones, PEM. */
  ca?: string
}

export type Look =
  | {
      isUp: true
      /** What time it is there, Unix milliseconds. */
      serverMs: number
      /** Until the certificate ends; undefined: there is none. */
      certificateDays: number | undefined
    }
  /** `reason`: for people, `certificate: CERT_HAS_EXPIRED`. */
  | { isUp: false; reason: string }

/** Asks for the status of the service. Never rejects. */
export async function lookAt(target: Target): Promise<Look> {
  try {
    const { status, body, certificateDays } = await ask(target, 'v1/status', { method: 'GET' })
    if (status !== 200) return { isUp: false, reason: `answer: HTTP ${status}` }
    const serverMs = timeIn(body)
    if (serverMs === undefined) return { isUp: false, reason: 'answer: not from Songngan' }
    return { isUp: true, serverMs, certificateDays }
  } catch (error) {
    return { isUp: false, reason: reasonOf(error) }
  }
}

export type Reply = { status: number; body: string; certificateDays: number | undefined }

/** One request, without redirects. Rejects where no answer came. */
export async function ask(
  { url, ca }: Target,
  path: string,
  { method, headers = {}, body }: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
): Promise<Reply> {
  const base = url.href.endsWith('/') ? url : new URL(`${url.href}/`)
  const to = new URL(path, base)
  const send = to.protocol === 'https:' ? https.request : http.request
  return await new Promise<Reply>((resolve, reject) => {
    // A connection of its own: one that stands says nothing of whether others can be made.
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const request = send(to, { method, headers, agent: false, signal, ...(ca === undefined ? {} : { ca }) })
    request.on('error', reject)
    request.on('response', (response) => {
      const days = daysOf(response.socket)
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= MAX_BYTES) chunks.push(chunk)
        else response.destroy(new Error('the answer is too long'))
      })
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          certificateDays: days,
        }),
      )
    })
    request.end(body)
  })
}

function daysOf(socket: object): number | undefined {
  if (!('getPeerCertificate' in socket)) return undefined
  const { valid_to: end } = (socket as TLSSocket).getPeerCertificate()
  const ms = Date.parse(end ?? '')
  return Number.isNaN(ms) ? undefined : (ms - Date.now()) / DAY_MS
}

/** The `at` of a status document; undefined: it is none. */
function timeIn(body: string): number | undefined {
  try {
    const { status, at } = JSON.parse(body) as { status?: unknown; at?: unknown }
    const ms = typeof status === 'string' && typeof at === 'string' ? Date.parse(at) : Number.NaN
    return Number.isNaN(ms) ? undefined : ms
  } catch {
    return undefined // a page of somebody in between
  }
}

function reasonOf(error: unknown): string {
  const { name, message, code = '' } = error as { name?: string; message?: string; code?: string }
  if (name === 'AbortError' || name === 'TimeoutError') return `timeout: no answer within ${TIMEOUT_MS / 1000} s`
  if (/CERT|TLS|SSL|VERIFY|ISSUER/.test(code)) return `certificate: ${code}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `name: ${code}`
  return `connection: ${code === '' ? (message ?? 'failed') : code}`
}
