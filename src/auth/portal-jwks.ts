// The key set of a portal that signs tickets itself (TICKET_JWKS_URL). A ticket is refused for its signature only after
// the keys have been seen: an address that does not answer is our trouble, not the uploader's.

import {
  type CompactVerifyGetKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose'
import { AppError } from '../core/errors.ts'

/**
 * Asymmetric ones only. With a symmetric one allowed, anybody could sign with the public key as the secret (RFC 8725
 * section 2.1).
 */
export const PORTAL_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

/** A rotated key is fetched when a ticket names it, but not more often than this, whoever sends tickets. */
const COOLDOWN_MS = 5_000
const FETCH_TIMEOUT_MS = 3_000

/**
 * Finds the key of a ticket. Keys are fetched again after ten minutes, or for an unknown `kid`; while the address does
 * not answer, those seen last go on working.
 * @returns a key resolver for jose; throws KEYS_UNAVAILABLE where the keys cannot be had, jose's errors where the set
 * has no such key
 */
export function portalKeys(url: string): CompactVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(url), {
    cooldownDuration: COOLDOWN_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
  })
  return async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    try {
      return await remote(header, token)
    } catch (error) {
      if (isAboutTheToken(error)) throw error
      const known = remote.jwks()
      if (known !== undefined) {
        // A key that is not among the old ones may be among the new: only the address could tell.
        try {
          return await createLocalJWKSet(known)(header, token)
        } catch (failure) {
          if (!isAboutTheToken(failure)) throw failure
        }
      }
      throw new AppError('KEYS_UNAVAILABLE', { cause: error, retryAfterSeconds: 5 })
    }
  }
}

function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
