// One key per purpose out of a secret of the configuration: HKDF with SHA-256 (RFC 5869). A key tells nothing about the
// secret, nor about the keys of other purposes.

import { hkdfSync } from 'node:crypto'

const KEY_BYTES = 32

/**
 * What a key is for, with the version of its use. A label is never changed or used for something else: what was signed
 * or hashed with its key could not be checked any more. @internal
 */
export const KEY_PURPOSES = [
  'songngan ticket, version 1',
  'songngan session, version 1',
  'songngan media link, version 1',
  'songngan upload id, version 1',
  'songngan receipt key, version 1',
  'songngan personal hash, version 1',
] as const

export type KeyPurpose = (typeof KEY_PURPOSES)[number]

/** The key of 32 bytes that `secret` has for `purpose`; the same in every process. */
export function deriveKey(secret: string, purpose: KeyPurpose): Buffer {
  // No salt: it would have to be kept beside the secret, which is random already (RFC 5869 section 3.1).
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES))
}
