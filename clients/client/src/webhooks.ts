// Whether a webhook is genuine: Standard Webhooks 1.0, HMAC-SHA256 over id, time and raw body.

import { SongnganError } from './error.ts'
import type { SongnganEvent } from './types.ts'

/** `request.headers` of Node, or `Headers`. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export type WebhookOptions = {
  /** How far the webhook's time may be from ours [300 s]: an old one may be a copy that somebody sends again. */
  toleranceSeconds?: number
  /** Our time [now]. */
  now?: Date
}

const TOLERANCE_SECONDS = 300
const PREFIX = 'whsec_'

/**
 * The event in a webhook.
 *
 * @param rawBody as it was received: before a JSON parser has made something of it
 * @param secret `WEBHOOK_SECRET` as the service has it. Several, in a list or separated by commas, while it is being changed: any
 *   of them may have signed
 * @throws SongnganError with `WEBHOOK_HEADERS_MISSING`, `WEBHOOK_OUT_OF_TIME`, `WEBHOOK_SIGNATURE_INVALID`: answer 401.
 *   `WEBHOOK_SECRET_INVALID` and `WEBHOOK_BODY_NOT_RAW` are mistakes of the portal's own program
 */
export async function verifyWebhook(
  rawBody: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { toleranceSeconds = TOLERANCE_SECONDS, now = new Date() }: WebhookOptions = {},
): Promise<SongnganEvent> {
  const keys = keysIn(secret)
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  const signatures = signaturesIn(headerOf(headers, 'webhook-signature') ?? '')
  if (id === undefined || timestamp === undefined || signatures.length === 0)
    throw refused('WEBHOOK_HEADERS_MISSING', 'webhook-id, webhook-timestamp and webhook-signature are needed')
  const ageSeconds = now.getTime() / 1000 - (/^\d+$/.test(timestamp) ? Number(timestamp) : Number.NaN)
  if (!(Math.abs(ageSeconds) <= toleranceSeconds))
    throw refused(
      'WEBHOOK_OUT_OF_TIME',
      'its time is too far from ours: it is a copy of an old one, or a clock is wrong',
    )
  const body = bytesOf(rawBody)
  const signed = joined(bytesOf(`${id}.${timestamp}.`), body)
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
    // `verify` takes the same time wherever the first difference is.
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return JSON.parse(new TextDecoder().decode(body))
    }
  }
  throw refused('WEBHOOK_SIGNATURE_INVALID', 'it is not from the service, or it was changed on the way')
}

function refused(code: string, en: string): SongnganError {
  return new SongnganError({ code, texts: { th: `ไม่รับข้อความแจ้งเหตุการณ์ (${code})`, en } })
}

/** Whoever forgot to set a secret must not accept what anybody signs with an empty one. */
function keysIn(secret: string | readonly string[]): Uint8Array<ArrayBuffer>[] {
  const secrets = [secret ?? []].flat().flatMap((one) => one.split(','))
  const keys = secrets.map((one) => base64(one.trim().replace(PREFIX, '')))
  const good = keys.filter((key) => key !== undefined && key.length > 0)
  if (good.length === 0 || good.length < keys.length)
    throw refused('WEBHOOK_SECRET_INVALID', 'the secret is not set, or not of the form whsec_… with base64')
  return good as Uint8Array<ArrayBuffer>[]
}

/** Of version 1, those of other versions are passed over. */
function signaturesIn(header: string): Uint8Array<ArrayBuffer>[] {
  return header.split(' ').flatMap((one) => (one.startsWith('v1,') ? (base64(one.slice('v1,'.length)) ?? []) : []))
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (typeof (headers as Headers).get === 'function') return (headers as Headers).get(name) ?? undefined
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  // Node joins repeated ones; a list is of a server that does not. Two of these are not from the service.
  return typeof found === 'string' ? found : found?.length === 1 ? found[0] : undefined
}

function base64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined // not base64
  }
}

function bytesOf(text: string | Uint8Array | ArrayBuffer): Uint8Array {
  if (typeof text === 'string') return new TextEncoder().encode(text)
  if (text instanceof Uint8Array) return text
  if (text instanceof ArrayBuffer) return new Uint8Array(text)
  throw refused('WEBHOOK_BODY_NOT_RAW', 'a parser has made something else of the body; give the bytes as they came')
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}
