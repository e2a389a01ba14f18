import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'

const GOOD = {
  REDIS_URL: 'redis://127.0.0.1:1',
  API_KEYS: 'portal:0123456789abcdef',
  TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
}

describe('weak secrets', () => {
  it.each([
    [{ API_KEYS: `portal:${'a'.repeat(40)}` }, 'API_KEYS'],
    [{ API_KEYS: 'one:0123456789abcdef,two:0123456789abcdef' }, 'API_KEYS'],
    [{ API_KEYS: 'anonymous:0123456789abcdef' }, 'anonymous'],
    [{ TICKET_SECRET: 'ab'.repeat(20) }, 'TICKET_SECRET'],
    [{ SESSION_SECRET: 'short' }, 'SESSION_SECRET'],
    [{ LINK_SECRET: 'ab'.repeat(20) }, 'LINK_SECRET'],
    [{ RECEIPT_SECRET: 'a-good-secret-of-thirty-two-characters-,x' }, 'RECEIPT_SECRET'],
    [{ UPLOAD_ID_SECRET: 'a'.repeat(40) }, 'UPLOAD_ID_SECRET'],
    // Of nothing but separators: what a deployment makes of two variables that are not set.
    [{ SESSION_SECRET: ',' }, 'SESSION_SECRET'],
    [{ LINK_SECRET: ' ' }, 'LINK_SECRET'],
    [{ RECEIPT_SECRET: ' , ' }, 'RECEIPT_SECRET'],
    [{ UPLOAD_ID_SECRET: ',' }, 'UPLOAD_ID_SECRET'],
    [{ WEBHOOK_SECRET: ',', WEBHOOK_URL: 'https://portal.example/hook' }, 'WEBHOOK_SECRET'],
    [{ LOAD_TEST_SECRET: 'short' }, 'LOAD_TEST_SECRET'],
    [{ LOAD_TEST_SECRET: 'ab'.repeat(20) }, 'LOAD_TEST_SECRET'],
    [{ LOAD_TEST_SECRET: GOOD.TICKET_SECRET }, 'secret of its own'],
    [{ OPS_PASSWORD: 'short' }, 'OPS_PASSWORD'],
    [{ OPS_PASSWORD: 'x'.repeat(30) }, 'OPS_PASSWORD'],
  ])('are refused at start: %j', (env, name) => {
    expect(() => loadConfig({ ...GOOD, ...env })).toThrow(name)
  })

  it('are not long and varied ones', () => {
    expect(loadConfig({ ...GOOD, OPS_PASSWORD: 'only-for-operators' }).apiKeys).toHaveLength(1)
    // The same portal may have two keys while one of them is replaced.
    const two = 'portal:0123456789abcdef,portal:fedcba9876543210'
    expect(loadConfig({ ...GOOD, API_KEYS: two }).apiKeys).toHaveLength(2)
  })
})
