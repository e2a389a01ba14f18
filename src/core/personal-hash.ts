// Names of people where only sameness counts: hashes under a key, for what can be guessed (a citizen's number has thirteen
// digits) could be found again in any hash without one.

import { createHmac } from 'node:crypto'
import { deriveKey, type Secrets } from './derive-key.ts'

/** What is hashed; the same text of another kind, or of another portal, has another hash. */
export type PersonalText = 'person' | 'unique key'

const KEY_ID_CHARS = 8

export class PersonalHash {
  /** Tell one key from another, and nothing else; the newest first. */
  readonly keyIds: readonly string[]
  readonly #keys: readonly Buffer[]

  /** @param secrets of the configuration, the newest first */
  constructor(secrets: Secrets) {
    this.#keys = secrets.map((secret) => deriveKey(secret, 'songngan personal hash, version 1'))
    this.keyIds = this.#keys.map((key) =>
      createHmac('sha256', key).update('key id').digest('hex').slice(0, KEY_ID_CHARS),
    )
  }

  /** Under the newest secret; base64url. */
  of(kind: PersonalText, owner: string, text: string): string {
    return this.all(kind, owner, text)[0] ?? ''
  }

  /** Under each secret, the newest first. */
  all(kind: PersonalText, owner: string, text: string): string[] {
    return this.#keys.map((key) =>
      createHmac('sha256', key)
        .update(JSON.stringify([kind, owner, text]))
        .digest('base64url'),
    )
  }
}
