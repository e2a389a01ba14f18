// The key set of a portal that signs tickets itself (TICKET_JWKS_URL). A signature is refused only after
// the keys were fetched: an unavailable key set is not the uploader's error.

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
 * Only asymmetric algorithms: with a symmetric one, anybody could sign with the public key as the secret (RFC 8725
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

/** A new key is fetched when a ticket names it, but not more often than this. */
const COOLDOWN_MS = 5_000
const FETCH_TIMEOUT_MS = 3_000

/**
 * Finds the key of a ticket. Keys are fetched again after ten minutes, or for an unknown `kid`; while the URL does
 * not answer, the last keys stay valid.
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
        // An unknown key may be among the new ones.
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
