import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { deriveKey, KEY_PURPOSES } from '../../../src/core/derive-key.ts'

const SECRET = 'a-secret-of-this-test-that-is-long-enough'

it('is HKDF-SHA256: extract without salt, expand by one block (RFC 5869 section 2)', () => {
  for (const purpose of KEY_PURPOSES) {
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(SECRET).digest()
    const expanded = createHmac('sha256', extracted)
      .update(purpose)
      .update(Buffer.from([1]))
      .digest()
    expect(deriveKey(SECRET, purpose)).toEqual(expanded)
  }
})

it('gives every purpose and every secret a key of its own', () => {
  const keys = KEY_PURPOSES.flatMap((purpose) => [deriveKey(SECRET, purpose), deriveKey(`${SECRET}.`, purpose)])
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(2 * KEY_PURPOSES.length)
})
