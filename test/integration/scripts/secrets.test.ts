import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { script } from './script.ts'

type Env = Record<string, string>
type Secrets = { apiKey: string; ticketSecret: string; opsPassword: string; webhookSecret: string }
const { provideSecrets, readSecrets, withoutServiceSecrets, withSecrets } = await script<{
  provideSecrets: (dir: string) => { secrets: Secrets; created: boolean }
  readSecrets: (dir: string) => Secrets | undefined
  withSecrets: (env: Env, secrets: Secrets) => Env
  withoutServiceSecrets: (env: Env) => Env
}>('lib/secrets.mjs')

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-secrets-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('secrets are generated once and are readable by the owner only', async () => {
  expect(readSecrets(dir)).toBeUndefined()
  const first = provideSecrets(dir)
  expect(first.created).toBe(true)
  expect(provideSecrets(dir)).toEqual({ secrets: first.secrets, created: false })
  expect((await stat(join(dir, 'secrets.json'))).mode & 0o777).toBe(0o600)
})

test('the configuration accepts the generated secrets', () => {
  const { secrets } = provideSecrets(dir)
  const config = loadConfig(withSecrets({ REDIS_URL: 'redis://127.0.0.1:6379' }, secrets))
  expect(config.apiKeys).toEqual([{ name: 'portal', secret: secrets.apiKey }])
  expect(config.ops.password).toBe(secrets.opsPassword)
})

test('given values are used unchanged', () => {
  const { secrets } = provideSecrets(dir)
  const given = {
    API_KEYS: 'a:b',
    TICKET_SECRET: 'c',
    OPS_PASSWORD: 'd',
    WEBHOOK_SECRET: 'e',
    WEBHOOK_ALLOW_PRIVATE: 'false',
    CORS_ORIGINS: 'https://portal.example',
  }
  expect(withSecrets(given, secrets)).toEqual(given)
})

test.each([
  [undefined, true],
  ['127.0.0.1', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['192.0.2.7', false],
])('webhooks may go to this machine, and its pages call, only with a loopback HOST: %s', (host, allowed) => {
  const { secrets } = provideSecrets(dir)
  const env = host === undefined ? {} : { HOST: host }
  const made: Record<string, string> = withSecrets(env, secrets)
  expect(made['WEBHOOK_ALLOW_HOSTS']).toBe(allowed ? 'localhost,127.0.0.0/8,::1' : undefined)
  expect(made['CORS_ORIGINS']).toBe(allowed ? 'http://127.0.0.1:3000,http://localhost:3000' : undefined)
  expect(made).not.toHaveProperty('WEBHOOK_ALLOW_PRIVATE')
  const given = { ...env, WEBHOOK_ALLOW_HOSTS: 'portal.internal' }
  expect(withSecrets(given, secrets)).toMatchObject(given)
})

test.each(['{"apiKey":"only one"}', 'not JSON', ''])(
  'a damaged secrets file is refused, not overwritten: %s',
  async (text) => {
    const path = join(dir, 'secrets.json')
    await writeFile(path, text)
    expect(() => provideSecrets(dir)).toThrow('damaged')
  },
)

test('a worker gets no secrets for tickets, sessions or API keys', () => {
  const { secrets } = provideSecrets(dir)
  const all = withSecrets({ TICKET_JWKS_URL: 'https://portal.example/jwks', LOG_LEVEL: 'warn' }, secrets)
  const rest: Record<string, string> = withoutServiceSecrets(all)
  expect(Object.keys(rest).sort()).toEqual([
    'CORS_ORIGINS',
    'LOG_LEVEL',
    'OPS_PASSWORD',
    'WEBHOOK_ALLOW_HOSTS',
    'WEBHOOK_SECRET',
  ])
})
