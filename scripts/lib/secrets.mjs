// Generated keys and passwords, for settings that are not given: kept in DATA_DIR/secrets.json (mode 600).

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './log.mjs'

const secret = () => randomBytes(24).toString('base64url')

const MAKERS = {
  apiKey: secret,
  ticketSecret: () => randomBytes(32).toString('base64url'),
  opsPassword: secret,
  redisPassword: secret,
  webhookSecret: () => `whsec_${randomBytes(32).toString('base64')}`,
}

export function secretsPath(dataDir) {
  return join(dataDir, 'secrets.json')
}

/** The stored secrets, or undefined. A damaged file is never overwritten: running uploads depend on its ticket secret. */
export function readSecrets(dataDir) {
  const path = secretsPath(dataDir)
  if (!existsSync(path)) return undefined
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8'))
    if (Object.keys(MAKERS).every((name) => typeof kept[name] === 'string')) return kept
  } catch {
    // not JSON: reported below
  }
  throw new Refusal(`${path} is damaged. Restore it from a backup; without its secrets running uploads are lost.`, 78)
}

/** `{ secrets, created }`; created: they are new, and the API key has to be shown. */
export function provideSecrets(dataDir) {
  const kept = readSecrets(dataDir)
  if (kept !== undefined) return { secrets: kept, created: false }
  const secrets = Object.fromEntries(Object.entries(MAKERS).map(([name, make]) => [name, make()]))
  const aside = `${secretsPath(dataDir)}.${process.pid}`
  const file = openSync(aside, 'w', 0o600)
  writeSync(file, `${JSON.stringify(secrets, null, 2)}\n`)
  fsyncSync(file) // a key that was shown must survive a power cut
  closeSync(file)
  linkSync(aside, secretsPath(dataDir))
  rmSync(aside)
  return { secrets, created: true }
}

/** The environment, with generated secrets where none are given. */
export function withSecrets(env, secrets) {
  return {
    ...env,
    API_KEYS: env.API_KEYS || `portal:${secrets.apiKey}`,
    TICKET_SECRET: env.TICKET_SECRET || secrets.ticketSecret,
    OPS_PASSWORD: env.OPS_PASSWORD || secrets.opsPassword,
    WEBHOOK_SECRET: env.WEBHOOK_SECRET || secrets.webhookSecret,
    // A service on the loopback address may send webhooks to this machine, and takes calls from its pages: the portal is developed here.
    ...webhookHosts(env),
    ...pageOrigins(env),
  }
}

const SERVICE_SECRETS = [
  'API_KEYS',
  'TICKET_SECRET',
  'SESSION_SECRET',
  'LINK_SECRET',
  'RECEIPT_SECRET',
  'UPLOAD_ID_SECRET',
  'LOAD_TEST_SECRET',
  'TICKET_JWKS_URL',
]

/** Workers open untrusted files: they do not get the signing secrets. */
export function withoutServiceSecrets(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SERVICE_SECRETS.includes(name)))
}

function webhookHosts(env) {
  if (env.WEBHOOK_ALLOW_PRIVATE || env.WEBHOOK_ALLOW_HOSTS || !isLoopback(env.HOST)) return {}
  return { WEBHOOK_ALLOW_HOSTS: 'localhost,127.0.0.0/8,::1' }
}

/** Of the examples. */
function pageOrigins(env) {
  if (env.CORS_ORIGINS || !isLoopback(env.HOST)) return {}
  return { CORS_ORIGINS: 'http://127.0.0.1:3000,http://localhost:3000' }
}

function isLoopback(host) {
  return host === undefined || host === '' || host === 'localhost' || host === '::1' || host.startsWith('127.')
}
