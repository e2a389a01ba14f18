// Asks a service on another machine whether it may be used for load tests. Without consent a tool does nothing.

import {
  CONSENT_PATH,
  type Consent,
  isConsent,
  type LoadTestLimits,
  loadTestAuthorization,
  newNonce,
} from '../../src/core/load-test-consent.ts'
import { type Environment, isOwnMachine } from './settings.ts'
import { UsageError } from './usage.ts'

/** A service on another machine that has consented. */
export type Stage = { origin: string; secret: string; limits: LoadTestLimits }

const ANSWER_MS = 10_000
const MAX_ANSWER_CHARS = 4096

/**
 * undefined: the service is on this machine, which needs no consent. Throws UsageError, in one line, if the service does
 * not consent.
 */
export async function consentOf(base: URL, env: Environment): Promise<Stage | undefined> {
  if (isOwnMachine(base)) return undefined
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0')
    throw new UsageError('NODE_TLS_REJECT_UNAUTHORIZED=0 turns certificate checks off; unset it, and use --ca FILE.')
  const secret = env['LOAD_TEST_SECRET']
  if (secret === undefined || secret === '')
    throw new UsageError(
      `${base.origin} is not this machine: set LOAD_TEST_SECRET to the one the service was started with.`,
    )
  return await askForConsent(base, secret)
}

/** The same wherever the service is. Throws UsageError. */
export async function askForConsent(base: URL, secret: string): Promise<Stage> {
  const nonce = newNonce()
  const answer = await ask(base, loadTestAuthorization(secret, nonce, CONSENT_PATH))
  if (answer === undefined || !isConsent(secret, nonce, answer.origin, answer))
    throw new UsageError(`${base.origin} does not consent to load tests: it has no LOAD_TEST_SECRET, or another one.`)
  if (answer.origin !== base.origin)
    throw new UsageError(
      `${base.origin} is known to the service as ${answer.origin}: use that --url, or correct PUBLIC_URL.`,
    )
  return { origin: answer.origin, secret, limits: answer.limits }
}

async function ask(base: URL, authorization: string): Promise<Consent | undefined> {
  const response = await fetch(new URL(CONSENT_PATH, base), {
    headers: { authorization },
    redirect: 'manual',
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw new UsageError(`No response from ${base.origin}: ${reasonOf(error)}`)
  })
  const text = await response.text()
  return response.status === 200 && text.length <= MAX_ANSWER_CHARS ? consentIn(text) : undefined
}

/** The words of the certificate check and the like, which `fetch` has as the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

function consentIn(text: string): Consent | undefined {
  try {
    const { origin, proof, limits } = JSON.parse(text) as Partial<Consent>
    const { clients, minutes, clientsPerSecond, mbit } = limits ?? {}
    const numbers = [clients, minutes, clientsPerSecond, mbit]
    const fits =
      typeof origin === 'string' && typeof proof === 'string' && numbers.every((one) => typeof one === 'number')
    return fits ? ({ origin, proof, limits } as Consent) : undefined
  } catch {
    return undefined // a page of something else
  }
}
