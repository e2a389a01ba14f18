// The claims of tickets and sessions, validated after the signature.

import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { isSubmissionId, SESSION_ID, UPLOAD_ID } from '../core/ids.ts'

export const PERMISSIONS = ['read', 'upload', 'seal', 'review'] as const
export type Permission = (typeof PERMISSIONS)[number]

const Name = Type.String({ minLength: 1, maxLength: 256 })
/** NumericDate of RFC 7519: seconds since the epoch, possibly with a fraction. */
const NumericDate = Type.Number({ minimum: 0, maximum: 8_640_000_000_000 })

const ClaimsSchema = Type.Object({
  aud: Type.Union([Type.String(), Type.Array(Type.String())]),
  exp: NumericDate,
  nbf: Type.Optional(NumericDate),
  iat: Type.Optional(NumericDate),
  iss: Type.Optional(Type.String()),
  sub: Type.Optional(Name),
  /** Name of the API key, the namespace of the submission. */
  owner: Type.Optional(Name),
  submission: Type.Optional(Type.Refine(Type.String(), isSubmissionId)),
  slot: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' })),
  replaces: Type.Optional(Type.String({ pattern: UPLOAD_ID.source })),
  maxBytes: Type.Optional(Type.Integer({ minimum: 1 })),
  can: Type.Optional(Type.Array(Type.Enum([...PERMISSIONS]))),
  /** Session: its id. Ticket: id of the session that asked for it. Portals give this name another meaning (OpenID). */
  sid: Type.Optional(Type.Unknown()),
  /** How many revocations the submission had when this was issued. */
  rev: Type.Optional(Type.Unknown()),
  /** W3C Trace Context of whoever asked for the ticket. */
  traceparent: Type.Optional(Type.Unknown()),
})

export type TokenClaims = Static<typeof ClaimsSchema>

const validator = Compile(ClaimsSchema)

/** The claims of a verified payload, or undefined if they are malformed or for another audience. */
export function parseTokenClaims(payload: Uint8Array, audience: string): TokenClaims | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined // not JSON: not a token of this service
  }
  if (!validator.Check(value)) return undefined
  const audiences = Array.isArray(value.aud) ? value.aud : [value.aud]
  return audiences.includes(audience) ? value : undefined
}

/** The claims that only tokens of this service have; null: it is of an earlier version. */
export function ownClaims({ sid, rev }: TokenClaims): { session: string | null; revocations: number | null } {
  return {
    session: typeof sid === 'string' && SESSION_ID.test(sid) ? sid : null,
    revocations: typeof rev === 'number' && Number.isSafeInteger(rev) && rev >= 0 ? rev : null,
  }
}
