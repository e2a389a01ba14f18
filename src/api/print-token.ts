// The signed token of a link to the print view of a receipt: a browser opens it without other credentials, for some hours.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { LinkSession } from '../auth/link-session.ts'
import { deriveKey, type Secrets } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import type { Revision } from '../evidence/check-id.ts'

export type PrintClaims = Revision & {
  /** Whole seconds since the epoch. */
  expiresAtSeconds: number
  /** Of the session that asked for the link; null: a portal asked. */
  session: LinkSession | null
}

const MAC_BYTES = 16

type Payload = [
  owner: string,
  submission: string,
  revision: number,
  expiresAtSeconds: number,
  session?: [id: string | null, revocations: number | null, person: string | null],
]

/** URL-safe; signed with the first secret. */
export function signPrintToken({ owner, submission, revision, ...claims }: PrintClaims, secrets: Secrets): string {
  const { session, expiresAtSeconds } = claims
  const payload: Payload = [owner, submission, revision, expiresAtSeconds]
  if (session !== null) payload.push([session.id, session.revocations, session.person])
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
  return `${text}.${mac(text, secrets[0]).toString('base64url')}`
}

/** Throws LINK_INVALID if not signed with one of the secrets, LINK_EXPIRED if expired. */
export function openPrintToken(token: string, secrets: Secrets, nowMs: number): PrintClaims {
  const [text = '', signature = '', ...rest] = token.split('.')
  const given = Buffer.from(signature, 'base64url')
  const isSigned = given.length === MAC_BYTES && secrets.some((secret) => timingSafeEqual(given, mac(text, secret)))
  if (rest.length > 0 || !isSigned) throw new AppError('LINK_INVALID')
  const payload = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Payload
  const [owner, submission, revision, expiresAtSeconds, of] = payload
  if (expiresAtSeconds * 1000 <= nowMs) throw new AppError('LINK_EXPIRED')
  const session = of === undefined ? null : { owner, submission, id: of[0], revocations: of[1], person: of[2] }
  return { owner, submission, revision, expiresAtSeconds, session }
}

function mac(text: string, secret: string): Buffer {
  const key = deriveKey(secret, 'songngan receipt link, version 1')
  return createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES)
}
