// One key per purpose out of a secret of the configuration: HKDF with SHA-256 (RFC 5869). A key tells nothing about the
// secret, nor about the keys of other purposes.

import { hkdfSync } from 'node:crypto'

const KEY_BYTES = 32

/** Secrets for one purpose: the first one signs, all verify, so that what was signed survives a rotation. */
export type Secrets = readonly [string, ...string[]]

/**
 * What a key is for, with the version of its use. A label is never changed or used for something else: what was signed
 * or hashed with its key could not be checked any more. @internal
 */
export const KEY_PURPOSES = [
  'songngan ticket, version 1',
  'songngan session, version 1',
  'songngan media link, version 1',
  'songngan receipt link, version 1',
  'songngan upload id, version 1',
  'songngan receipt key, version 1',
  'songngan personal hash, version 1',
] as const

export type KeyPurpose = (typeof KEY_PURPOSES)[number]

/**
 * Whether this process signs with derived keys. False while a service process of an earlier version runs, which knows
 * nothing of them: what is signed has to be good there too. Verification knows both ways.
 */
export type KeyDerivation = { readonly active: boolean }

/** There are as many as secrets and purposes. Upload ids are checked on every request. */
const derived = new Map<string, Buffer>()

/** The key of 32 bytes that `secret` has for `purpose`; the same in every process. */
export function deriveKey(secret: string, purpose: KeyPurpose): Buffer {
  const name = `${purpose}\n${secret}`
  let key = derived.get(name)
  if (key === undefined) {
    // No salt: it would have to be kept beside the secret, which is random already (RFC 5869 section 3.1).
    key = Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES))
    derived.set(name, key)
  }
  return key
}
