import { describe, expect, it } from 'vitest'
import { loadWorkerConfig } from '../../../src/core/config.ts'

const GIVEN = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  TICKET_SECRET: 'the-secret-of-the-service-which-signs-everything',
  SESSION_SECRET: 'the-secret-of-the-service-for-sessions-only',
  LINK_SECRET: 'the-secret-of-the-service-for-links-only',
  RECEIPT_SECRET: 'the-secret-of-the-service-for-receipts-only',
  UPLOAD_ID_SECRET: 'the-secret-of-the-service-for-upload-ids-only',
  LOAD_TEST_SECRET: 'the-secret-of-the-service-for-load-tests-only',
  API_KEYS: 'portal:a-secret-of-a-portal',
  TICKET_JWKS_URL: 'https://portal.example/jwks',
}

describe('a worker', () => {
  it('drops all secrets for tickets, sessions and API keys from its environment', () => {
    const config = loadWorkerConfig(GIVEN)
    for (const secret of ['the-secret-of-the-service', 'a-secret-of-a-portal', 'portal.example'])
      expect(JSON.stringify(config)).not.toContain(secret)
    expect(config.apiKeys).toEqual([])
  })

  it('needs none of them, and signs nothing that a service accepts', () => {
    const { REDIS_URL } = GIVEN
    const [first, second] = [loadWorkerConfig({ REDIS_URL }), loadWorkerConfig({ REDIS_URL })]
    expect(first.secrets).not.toEqual(second.secrets)
  })
})
