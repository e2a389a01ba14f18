// Configuration: one typed schema for validation, defaults, types, `.env.example` and README's table.
// This is the only file that reads the environment; all others get the frozen result.

import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import envSchema from 'env-schema'
import { allowedHosts, trustedProxies, wrongHosts, wrongProxies } from './addresses.ts'
import type { Secrets } from './derive-key.ts'
import { type Env, EnvSchema } from './env-schema.ts'
import { isVaried, list, namedValues, splitKey } from './listed-values.ts'
import { isProbeKey, optionalConfig, wrongProbeKeys } from './optional-config.ts'
import { parseRedisUrl, REDIS_URL_FORMS } from './redis-url.ts'

export type ApiKey = { name: string; secret: string }

export type Config = ReturnType<typeof nest>

/** All configuration errors, one per line. The process exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly errors: string[]
  constructor(errors: string[]) {
    super(`Configuration:\n${errors.map((error) => `  ${error}`).join('\n')}`)
    this.name = 'ConfigError'
    this.errors = errors
  }
}

export const EXIT_CONFIG = 78

/** Reads, validates and freezes. `source` is normally `process.env`. Throws ConfigError. */
export function loadConfig(source: Record<string, string | undefined> = process.env): Config {
  const known: Record<string, string> = {}
  for (const name of Object.keys(EnvSchema.properties)) {
    const value = source[name]
    // An empty variable in an env file means "not set".
    if (value !== undefined && value !== '') known[name] = value
  }
  let env: Env
  try {
    env = envSchema<Env>({ schema: structuredClone(EnvSchema), data: known, env: false })
  } catch (error) {
    const errors = (
      error as {
        errors?: { instancePath: string; message?: string; params?: { allowedValues?: string[] } }[]
      }
    ).errors
    if (errors === undefined) throw error
    throw new ConfigError(
      errors.map((error) => {
        const name = error.instancePath.slice(1)
        const allowed = error.params?.allowedValues
        return `${name} ${error.message}${allowed ? `: ${allowed.join(', ')}` : ''} (given: ${JSON.stringify(source[name])})`
      }),
    )
  }
  const errors = crossCheck(env)
  if (errors.length > 0) throw new ConfigError(errors)
  return Object.freeze(nest(env))
}

/** Settings that only the service needs. */
const SIGNING = ['TICKET_SECRET', 'SESSION_SECRET', 'LINK_SECRET', 'RECEIPT_SECRET', 'UPLOAD_ID_SECRET'] as const
const SERVICE_SECRETS = ['API_KEYS', 'PROBE_KEYS', ...SIGNING, 'TICKET_JWKS_URL', 'LOAD_TEST_SECRET']

/** {@link loadConfig} for a worker: without the signing secrets, since a worker opens untrusted files. */
export function loadWorkerConfig(source: Record<string, string | undefined> = process.env): Config {
  const given = Object.entries(source).filter(([name]) => !SERVICE_SECRETS.includes(name))
  // A worker signs nothing; a random secret, so that signatures made by mistake are invalid.
  return loadConfig({ ...Object.fromEntries(given), TICKET_SECRET: randomBytes(32).toString('hex') })
}

/** The key of a probe, which has no configuration else: `name:secret`. Throws ConfigError. */
export function loadProbeKey(source: Record<string, string | undefined> = process.env): string {
  const key = source['PROBE_KEY'] ?? ''
  if (isProbeKey(key)) return key
  throw new ConfigError(['PROBE_KEY must be the name:secret of this probe, as in PROBE_KEYS of the services'])
}

const OWNER = /^[A-Za-z0-9_-]{1,64}$/
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const LANES = ['validate', 'inspect', 'transcode', 'notify', 'maintain'] as const

function isUrl(value: string, protocols: string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol)
}

function crossCheck(env: Env): string[] {
  const errors = wrongProbeKeys(env)
  const need = (condition: boolean, error: string) => condition || errors.push(error)
  need(env.REDIS_URL !== undefined, 'REDIS_URL is required (only npm start runs an embedded Redis)')
  if (env.REDIS_URL !== undefined)
    need(parseRedisUrl(env.REDIS_URL) !== undefined, `REDIS_URL must be ${REDIS_URL_FORMS}`)
  if (env.STORAGE === 's3') need(env.S3_BUCKET !== undefined, 'S3_BUCKET is required with STORAGE=s3')
  for (const [name, protocols] of [
    ['PUBLIC_URL', ['http:', 'https:']],
    ['PROMETHEUS_URL', ['http:', 'https:']],
    ['S3_ENDPOINT', ['http:', 'https:']],
    ['WEBHOOK_URL', ['http:', 'https:']],
    ['CLAMD_URL', ['tcp:', 'unix:']],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']],
  ] as const) {
    const value = env[name]
    if (value !== undefined) need(isUrl(value, [...protocols]), `${name} must be a URL with ${protocols.join(' or ')}`)
  }
  for (const { portal, url } of keySets(env)) {
    const at = URL.canParse(url) ? new URL(url) : undefined
    const isLoopback = at !== undefined && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(at.hostname)
    need(
      at?.protocol === 'https:' || (isLoopback && at.protocol === 'http:'),
      'TICKET_JWKS_URL must have https URLs: whoever controls the answer can sign tickets',
    )
    need(
      portal !== undefined && list(env.API_KEYS).some((entry) => splitKey(entry)[0] === portal),
      'TICKET_JWKS_URL must be name=url with names of API_KEYS, or a single URL if there is one API key',
    )
  }
  need(list(env.TICKET_SECRET).length > 0, 'TICKET_SECRET is required (npm start generates one)')
  // A secret of separators only would be the empty one, which everybody knows.
  for (const name of [...SIGNING, 'WEBHOOK_SECRET'] as const)
    need(env[name] === undefined || list(env[name]).length > 0, `${name} has no secret in it, only blanks or commas`)
  for (const name of SIGNING)
    for (const secret of list(env[name]))
      need(
        secret.length >= 32 && isVaried(secret),
        `${name} must have at least 32 characters and must not be a repetition`,
      )
  if (env.LOAD_TEST_SECRET !== undefined) {
    need(
      env.LOAD_TEST_SECRET.length >= 32 && isVaried(env.LOAD_TEST_SECRET),
      'LOAD_TEST_SECRET must have at least 32 characters and must not be a repetition',
    )
    // It is known on machines that make load, and those must not be able to sign.
    need(
      SIGNING.every((name) => !list(env[name]).includes(env.LOAD_TEST_SECRET ?? '')),
      'LOAD_TEST_SECRET must be a secret of its own',
    )
  }
  for (const entry of list(env.API_KEYS)) {
    const [name = '', secret = ''] = splitKey(entry)
    need(
      OWNER.test(name) && secret.length >= 16 && isVaried(secret),
      'API_KEYS must be name:secret, with secrets of at least 16 characters that are not easy to guess',
    )
    need(name !== 'anonymous', 'API_KEYS: the name anonymous is reserved for uploads without a portal (AUTH=none)')
    need(
      list(env.API_KEYS).every((other) => splitKey(other)[0] === name || splitKey(other)[1] !== secret),
      'API_KEYS: two portals must not have the same secret',
    )
  }
  if (env.OPS_PASSWORD !== undefined)
    need(
      env.OPS_PASSWORD.length >= 12 && isVaried(env.OPS_PASSWORD),
      'OPS_PASSWORD must have at least 12 characters and must not be a repetition',
    )
  for (const secret of list(env.WEBHOOK_SECRET))
    need(
      /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret),
      'WEBHOOK_SECRET must be whsec_ followed by base64 of at least 24 bytes',
    )
  for (const wrong of wrongHosts(list(env.WEBHOOK_ALLOW_HOSTS)))
    errors.push(`WEBHOOK_ALLOW_HOSTS must be names, addresses and networks, not ${wrong}`)
  if (env.TRUST_PROXY !== 'true' && env.TRUST_PROXY !== 'false')
    for (const wrong of wrongProxies(list(env.TRUST_PROXY)))
      errors.push(`TRUST_PROXY takes true, false, or addresses and networks, not ${wrong}`)
  for (const name of ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_RESOURCE_ATTRIBUTES'] as const)
    need(
      namedValues(env[name]) !== undefined,
      `${name} must be name=value, separated by commas, values in percent-encoding`,
    )
  if (env.WEBHOOK_URL !== undefined)
    need(env.WEBHOOK_SECRET !== undefined, 'WEBHOOK_SECRET is required with WEBHOOK_URL')
  if (env.FAULT_POINTS !== undefined)
    need(
      LOOPBACK.includes(env.HOST) && LOOPBACK.includes(env.OPS_HOST),
      'FAULT_POINTS is only for tests: HOST and OPS_HOST must be loopback addresses',
    )
  need(/^(auto|[1-9]\d{0,2})$/.test(env.PROCESSES), 'PROCESSES must be auto or a number')
  need(/^(auto|[1-9]\d{0,2})$/.test(env.TRANSCODE_CONCURRENCY), 'TRANSCODE_CONCURRENCY must be auto or a number')
  if (env.WORKER_LANES !== 'all')
    for (const lane of list(env.WORKER_LANES))
      need(
        (LANES as readonly string[]).includes(lane),
        `WORKER_LANES must be all, or some of ${LANES.join(', ')}; not ${lane}`,
      )
  return [...new Set(errors)]
}

/** The first one signs, all verify. */
function secretsOf(value: string | undefined): Secrets {
  const [first, ...older] = list(value)
  if (first === undefined) throw new ConfigError(['a secret for signing is empty'])
  return [first, ...older]
}

function trustProxy(value: string): boolean | ((address: string) => boolean) {
  if (value === 'true') return true
  return value === 'false' ? false : trustedProxies(list(value))
}

function nest(env: Env) {
  const cores = availableParallelism()
  const origins = list(env.CORS_ORIGINS)
  return {
    http: {
      host: env.HOST,
      port: env.PORT,
      publicUrl: env.PUBLIC_URL?.replace(/\/$/, ''),
      trustProxy: trustProxy(env.TRUST_PROXY),
      keepAliveMs: env.KEEP_ALIVE_SECONDS * 1000,
      corsOrigins: origins,
      portalPage: env.PORTAL_PAGE,
    },
    ops: {
      host: env.OPS_HOST,
      port: env.OPS_PORT,
      hosts: list(env.OPS_HOSTS),
      user: env.OPS_USER,
      password: env.OPS_PASSWORD,
      readOnly: env.OPS_READ_ONLY,
      prometheusUrl: env.PROMETHEUS_URL,
    },
    redisUrl: env.REDIS_URL as string,
    clockSkewLimitMs: env.CLOCK_SKEW_LIMIT_SECONDS * 1000,
    storage: {
      kind: env.STORAGE,
      dataDir: env.DATA_DIR,
      s3: {
        bucket: env.S3_BUCKET ?? '',
        endpoint: env.S3_ENDPOINT,
        region: env.S3_REGION,
        forcePathStyle: env.S3_FORCE_PATH_STYLE,
      },
    },
    apiKeys: list(env.API_KEYS).map((entry): ApiKey => {
      const [name, secret] = splitKey(entry)
      return { name, secret }
    }),
    secrets: {
      ticket: secretsOf(env.TICKET_SECRET),
      session: secretsOf(env.SESSION_SECRET ?? env.TICKET_SECRET),
      link: secretsOf(env.LINK_SECRET ?? env.TICKET_SECRET),
      receipt: secretsOf(env.RECEIPT_SECRET ?? env.TICKET_SECRET),
      uploadId: secretsOf(env.UPLOAD_ID_SECRET ?? env.TICKET_SECRET),
      // As those of ids: what is stored under it has to be found again for as long.
      personalHash: secretsOf(env.UPLOAD_ID_SECRET ?? env.TICKET_SECRET),
    },
    tickets: { keySets: keySets(env), ttlSeconds: env.TICKET_TTL_SECONDS, auth: env.AUTH },
    uploads: {
      maxBytes: env.MAX_UPLOAD_BYTES,
      maxOpenPerPerson: env.MAX_OPEN_UPLOADS_PER_PERSON,
      maxOpenBytesPerPerson: env.MAX_OPEN_BYTES_PER_PERSON,
      maxSupersededPerSlot: env.MAX_SUPERSEDED_PER_SLOT,
      maxStoredBytesPerSlot: env.MAX_STORED_BYTES_PER_SLOT,
      maxPerSlot: env.MAX_UPLOADS_PER_SLOT,
      maxPerSubmission: env.MAX_UPLOADS_PER_SUBMISSION,
      expiryMs: Math.round(env.UPLOAD_EXPIRY_HOURS * 3_600_000),
      idleTimeoutMs: env.IDLE_TIMEOUT_SECONDS * 1000,
      receiveBudgetBytes: env.RECEIVE_BUDGET_BYTES,
      readBelowHttp: env.READ_BELOW_HTTP,
      speaksDraft: env.RESUMABLE_UPLOADS === 'draft',
      spoolMaxBytes: env.SPOOL_MAX_BYTES,
    },
    rates: { creation: env.CREATIONS_PER_MINUTE, session: env.SESSION_CALLS_PER_MINUTE, read: env.READS_PER_MINUTE },
    wrongCredentialsPerMinute: env.WRONG_CREDENTIALS_PER_MINUTE,
    processes: env.PROCESSES === 'auto' ? cores : Number(env.PROCESSES),
    workers: {
      lanes: env.WORKER_LANES === 'all' ? [...LANES] : LANES.filter((lane) => list(env.WORKER_LANES).includes(lane)),
      transcodeConcurrency:
        env.TRANSCODE_CONCURRENCY === 'auto' ? Math.max(1, Math.floor(cores / 2)) : Number(env.TRANSCODE_CONCURRENCY),
      isolation: env.MEDIA_ISOLATION,
    },
    webhooks: {
      url: env.WEBHOOK_URL,
      secrets: list(env.WEBHOOK_SECRET),
      allowed: allowedHosts(list(env.WEBHOOK_ALLOW_HOSTS), env.WEBHOOK_ALLOW_PRIVATE),
    },
    profilesDir: env.PROFILES_DIR,
    retention: {
      rejectedDays: env.RETAIN_REJECTED_DAYS,
      supersededDays: env.RETAIN_SUPERSEDED_DAYS,
      securityLogDays: env.SECURITY_LOG_DAYS,
    },
    clamdUrl: env.CLAMD_URL,
    ...optionalConfig(env),
    faultPoints: env.FAULT_POINTS,
    logLevel: env.LOG_LEVEL,
  }
}

/** Portal → URL of its key set. Portal undefined: a single URL, but several portals. */
function keySets(env: Pick<Env, 'TICKET_JWKS_URL' | 'API_KEYS'>): { portal: string | undefined; url: string }[] {
  const names = [...new Set(list(env.API_KEYS).map((entry) => splitKey(entry)[0]))]
  return list(env.TICKET_JWKS_URL).map((entry) => {
    const [, portal, url] = /^([^=/:]+)=(.*)$/.exec(entry) ?? []
    if (portal !== undefined && url !== undefined) return { portal, url }
    return { portal: names.length === 1 ? names[0] : undefined, url: entry }
  })
}
