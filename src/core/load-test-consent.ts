// Consent to load tests. A service that was started with LOAD_TEST_SECRET proves to a tool that it has the same secret, and
// states its limits. The secret itself never travels: both sides send an HMAC-SHA-256 over a nonce that the tool has made.
// The proof names the service's origin, so that it is good for no other service, and an earlier one has another nonce.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What one load test may do. */
export type LoadTestLimits = {
  clients: number
  /** From the first arrival until the last client gives up. */
  minutes: number
  /** Arrivals in any one second. */
  clientsPerSecond: number
  /** Of all generators together, megabits a second. */
  mbit: number
}

export type Consent = {
  /** Of the service, as browsers see it: `https://stage.example`. */
  origin: string
  limits: LoadTestLimits
  proof: string
}

export const CONSENT_PATH = '/v1/load-test'
export const OBJECT_COUNT_PATH = '/load-test/objects'

const SCHEME = 'Songngan-Load-Test'
const AUTHORIZATION = new RegExp(`^${SCHEME} ([\\w-]{43})\\.([\\w-]{43})$`)
const NONCE_BYTES = 32

/** A new nonce for one challenge. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url')
}

/** The `Authorization` header of a tool that knows the secret; `target` is path and query of the request. */
export function loadTestAuthorization(secret: string, nonce: string, target: string): string {
  return `${SCHEME} ${nonce}.${mac(secret, 'tool', nonce, target)}`
}

/** The nonce of a tool that knows the secret; undefined for everybody else. */
export function nonceOfTool(secret: string, authorization: string | undefined, target: string): string | undefined {
  const [, nonce, proof] = AUTHORIZATION.exec(authorization ?? '') ?? []
  if (nonce === undefined || proof === undefined) return undefined
  return isSame(proof, mac(secret, 'tool', nonce, target)) ? nonce : undefined
}

/** The service's answer to one nonce. */
export function consentTo(secret: string, nonce: string, origin: string, limits: LoadTestLimits): Consent {
  return { origin, limits, proof: mac(secret, 'service', nonce, origin, inOrder(limits)) }
}

/** Whether an answer was made with the same secret, for this nonce, by the service at this origin. */
export function isConsent(secret: string, nonce: string, origin: string, answer: Consent): boolean {
  const expected = mac(secret, 'service', nonce, origin, inOrder(answer.limits))
  return answer.origin === origin && isSame(answer.proof, expected)
}

/** The side is part of what is hashed: a proof of the tool cannot be sent back to it as one of the service. */
function mac(secret: string, side: 'tool' | 'service', ...words: string[]): string {
  const text = ['songngan load test, version 1', side, ...words].join('\n')
  return createHmac('sha256', secret).update(text).digest('base64url')
}

function inOrder({ clients, minutes, clientsPerSecond, mbit }: LoadTestLimits): string {
  return [clients, minutes, clientsPerSecond, mbit].join(' ')
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
