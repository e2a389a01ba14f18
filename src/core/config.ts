// Configuration: one typed schema gives validation, defaults, types, `.env.example` and the README's table.
// This is the only file that reads the environment; everything else is handed the frozen result.

import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import envSchema from 'env-schema'
import type { Static } from 'typebox'
import Type from 'typebox'
import { allowedHosts, wrongHosts } from './addresses.ts'

const DEFAULT_MAX_UPLOAD_BYTES = 10 * 1024 ** 3

const text = (description: string, fallback: string) => Type.String({ description, default: fallback })
const optional = (description: string) => Type.Optional(Type.String({ description }))
const whole = (description: string, fallback: number, minimum = 0, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ description, default: fallback, minimum, maximum })
const flag = (description: string, fallback: boolean) => Type.Boolean({ description, default: fallback })
const oneOf = <T extends string>(description: string, values: readonly [T, ...T[]]) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], description, default: values[0] })

/** Every variable the service and the workers read, in the order of the README's table. */
export const EnvSchema = Type.Object({
  PORT: whole('Port of the API and of the tus endpoint', 8080, 0, 65_535),
  HOST: text('Address the API listens on', '127.0.0.1'),
  OPS_PORT: whole(
    'Port of health checks, metrics, console, switches and the queue dashboard',
    9464,
    0,
    65_535,
  ),
  OPS_HOST: text('Address of the operations listener', '127.0.0.1'),
  OPS_USER: text('User name for console, switches and the queue dashboard', 'ops'),
  OPS_PASSWORD: optional('Password for console, switches and the queue dashboard; unset: all three are off'),
  OPS_READ_ONLY: flag('Console, switches and the queue dashboard show but change nothing', true),
  PUBLIC_URL: optional('Address under which browsers reach the API; unset: taken from each request'),
  TRUST_PROXY: text(
    'Proxies whose X-Forwarded-* headers are trusted: true, false, or addresses and networks',
    'false',
  ),
  KEEP_ALIVE_SECONDS: whole(
    'An idle connection is kept for this long; longer than a proxy in front keeps it',
    65,
    1,
  ),
  CORS_ORIGINS: text('Origins whose pages may call the API, separated by commas; * for any', ''),
  PORTAL_PAGE: flag(
    'The page /portal, which the url of a session opens; false: there is none, for portals with pages of their own',
    true,
  ),
  REDIS_URL: optional('Redis, append-only and noeviction; npm start brings its own where this is unset'),
  STORAGE: oneOf('Where bytes and records are kept', ['local', 's3']),
  DATA_DIR: text('Directory of the local store, the spool, scratch files and the embedded Redis', './data'),
  S3_BUCKET: optional('Bucket; required with STORAGE=s3'),
  S3_ENDPOINT: optional('Endpoint of an S3 server other than AWS'),
  S3_REGION: text('Region', 'us-east-1'),
  S3_FORCE_PATH_STYLE: flag('Bucket name in the path instead of the host name', true),
  API_KEYS: text(
    'Portals: name:secret, several separated by commas; the name is the name space of submission ids',
    '',
  ),
  TICKET_SECRET: optional(
    'Signs tickets, sessions, links and upload ids; two separated by a comma for rotation: the first signs',
  ),
  TICKET_JWKS_URL: optional(
    'Key sets of portals that sign tickets themselves: name=url, several separated by commas; a URL alone where there is one API key',
  ),
  TICKET_TTL_SECONDS: whole(
    'Life of a ticket, for creating uploads; running ones live on',
    3600,
    10,
    604_800,
  ),
  AUTH: oneOf('none opens the tus endpoint: only behind a gateway of your own', ['ticket', 'none']),
  MAX_UPLOAD_BYTES: whole('Largest file', DEFAULT_MAX_UPLOAD_BYTES, 1),
  UPLOAD_EXPIRY_HOURS: Type.Number({
    description: 'Unfinished uploads are removed this long after their last byte',
    default: 72,
    exclusiveMinimum: 0,
  }),
  CREATIONS_PER_MINUTE: whole(
    'New uploads per person per minute, bursts allowed; resuming does not count; 0: no limit',
    300,
  ),
  SESSION_CALLS_PER_MINUTE: whole(
    'Changes that the pages of one person may ask for in a minute; 0: no limit',
    600,
  ),
  IDLE_TIMEOUT_SECONDS: whole('A client that sends nothing for this long is cut; its bytes are kept', 60, 1),
  RECEIVE_BUDGET_BYTES: whole(
    'Memory for bytes on their way to the store, shared by the receiving processes',
    128 * 1024 ** 2,
    1024 ** 2,
  ),
  SPOOL_MAX_BYTES: whole(
    'Disk for bytes not counted yet: spilled S3 parts, checksummed bodies',
    4 * 1024 ** 3,
  ),
  PROCESSES: text('Receiving processes behind the one port; auto: one per core', 'auto'),
  WORKER_LANES: text('Lanes a worker runs: all, or validate,inspect,transcode,notify,maintain', 'all'),
  TRANSCODE_CONCURRENCY: text(
    'Transcodes at a time per worker; auto: half of the cores, at least one',
    'auto',
  ),
  MEDIA_ISOLATION: oneOf(
    'Fence around media tools: landlock, without which no worker starts, or none, on a machine that opens no files of strangers',
    ['landlock', 'none'],
  ),
  WEBHOOK_URL: optional('Where events are posted; a submission may name its own callbackUrl'),
  WEBHOOK_SECRET: optional('Signs webhooks (whsec_…); two separated by a comma while rotating'),
  WEBHOOK_ALLOW_HOSTS: text(
    'Hosts that webhooks may go to although they are not public: names, addresses and networks, separated by commas',
    '',
  ),
  WEBHOOK_ALLOW_PRIVATE: flag(
    'Webhooks may go to any private or loopback address; name them in WEBHOOK_ALLOW_HOSTS instead',
    false,
  ),
  PROFILES_DIR: optional('Directory of further requirement profiles'),
  RETAIN_REJECTED_DAYS: whole('Rejected files are kept this long', 30),
  RETAIN_SUPERSEDED_DAYS: whole('Replaced files are kept this long', 90),
  CLAMD_URL: optional('tcp://host:port or unix:/path of clamd; unset: no scan for malware'),
  FAULT_POINTS: optional('Fault-injection directory, tests only; refused unless HOST is loopback'),
  LOG_LEVEL: oneOf('Minimum log level', ['info', 'trace', 'debug', 'warn', 'error', 'fatal']),
})

export type Env = Static<typeof EnvSchema>

export type ApiKey = { name: string; secret: string }

export type Config = ReturnType<typeof nest>

/** Bad configuration, every fault at once, one a line. The process exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly errors: string[]
  constructor(errors: string[]) {
    super(`Configuration:\n${errors.map((error) => `  ${error}`).join('\n')}`)
    this.name = 'ConfigError'
    this.errors = errors
  }
}

export const EXIT_CONFIG = 78

/** Reads, checks and freezes. `source` is normally `process.env`. Throws ConfigError. */
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

/** What only the service uses. */
const SERVICE_SECRETS = ['API_KEYS', 'TICKET_SECRET', 'TICKET_JWKS_URL']

/** {@link loadConfig} for a worker: it opens files of strangers and holds nothing that signs for people or portals. */
export function loadWorkerConfig(source: Record<string, string | undefined> = process.env): Config {
  const given = Object.entries(source).filter(([name]) => !SERVICE_SECRETS.includes(name))
  // Nothing in a worker signs; what was signed with this by mistake would be good nowhere.
  return loadConfig({ ...Object.fromEntries(given), TICKET_SECRET: randomBytes(32).toString('hex') })
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const OWNER = /^[A-Za-z0-9_-]{1,64}$/
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const LANES = ['validate', 'inspect', 'transcode', 'notify', 'maintain'] as const

function isUrl(value: string, protocols: string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol)
}

function crossCheck(env: Env): string[] {
  const errors: string[] = []
  const need = (condition: boolean, error: string) => condition || errors.push(error)
  need(env.REDIS_URL !== undefined, 'REDIS_URL is required (npm start brings a Redis of its own)')
  if (env.REDIS_URL !== undefined)
    need(isUrl(env.REDIS_URL, ['redis:', 'rediss:']), `REDIS_URL must be a redis:// or rediss:// URL`)
  if (env.STORAGE === 's3') need(env.S3_BUCKET !== undefined, 'S3_BUCKET is required with STORAGE=s3')
  for (const [name, protocols] of [
    ['PUBLIC_URL', ['http:', 'https:']],
    ['S3_ENDPOINT', ['http:', 'https:']],
    ['WEBHOOK_URL', ['http:', 'https:']],
    ['CLAMD_URL', ['tcp:', 'unix:']],
  ] as const) {
    const value = env[name]
    if (value !== undefined)
      need(isUrl(value, [...protocols]), `${name} must be a URL with ${protocols.join(' or ')}`)
  }
  for (const { portal, url } of keySets(env)) {
    const at = URL.canParse(url) ? new URL(url) : undefined
    const isLoopback = at !== undefined && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(at.hostname)
    need(
      at?.protocol === 'https:' || (isLoopback && at.protocol === 'http:'),
      'TICKET_JWKS_URL must name https URLs: whoever answers there signs tickets',
    )
    need(
      portal !== undefined && list(env.API_KEYS).some((entry) => splitKey(entry)[0] === portal),
      'TICKET_JWKS_URL must be name=url with names of API_KEYS, or one URL where there is one API key',
    )
  }
  const secrets = list(env.TICKET_SECRET)
  need(secrets.length > 0, 'TICKET_SECRET is required (npm start makes one)')
  for (const secret of secrets)
    need(
      secret.length >= 32 && isVaried(secret),
      'TICKET_SECRET must be at least 32 characters long, and not a repetition of a few',
    )
  for (const entry of list(env.API_KEYS)) {
    const [name = '', secret = ''] = splitKey(entry)
    need(
      OWNER.test(name) && secret.length >= 16 && isVaried(secret),
      'API_KEYS must be name:secret, secrets of at least 16 characters that cannot be guessed',
    )
    need(name !== 'anonymous', 'API_KEYS: the name anonymous stands for uploads without a portal (AUTH=none)')
    need(
      list(env.API_KEYS).every((other) => splitKey(other)[0] === name || splitKey(other)[1] !== secret),
      'API_KEYS: two portals must not have the same secret',
    )
  }
  if (env.OPS_PASSWORD !== undefined)
    need(
      env.OPS_PASSWORD.length >= 12 && isVaried(env.OPS_PASSWORD),
      'OPS_PASSWORD must be at least 12 characters long, and not a repetition of a few',
    )
  for (const secret of list(env.WEBHOOK_SECRET))
    need(
      /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret),
      'WEBHOOK_SECRET must be whsec_ and base64 of at least 24 bytes',
    )
  for (const wrong of wrongHosts(list(env.WEBHOOK_ALLOW_HOSTS)))
    errors.push(`WEBHOOK_ALLOW_HOSTS takes names, addresses and networks, not ${wrong}`)
  if (env.WEBHOOK_URL !== undefined)
    need(env.WEBHOOK_SECRET !== undefined, 'WEBHOOK_SECRET is required with WEBHOOK_URL')
  if (env.FAULT_POINTS !== undefined)
    need(
      LOOPBACK.includes(env.HOST) && LOOPBACK.includes(env.OPS_HOST),
      'FAULT_POINTS is for tests: HOST and OPS_HOST must be loopback addresses',
    )
  need(/^(auto|[1-9]\d{0,2})$/.test(env.PROCESSES), 'PROCESSES must be auto or a number')
  need(
    /^(auto|[1-9]\d{0,2})$/.test(env.TRANSCODE_CONCURRENCY),
    'TRANSCODE_CONCURRENCY must be auto or a number',
  )
  if (env.WORKER_LANES !== 'all')
    for (const lane of list(env.WORKER_LANES))
      need(
        (LANES as readonly string[]).includes(lane),
        `WORKER_LANES knows ${LANES.join(', ')} and all, not ${lane}`,
      )
  return [...new Set(errors)]
}

function splitKey(entry: string): [string, string] {
  const colon = entry.indexOf(':')
  return [entry.slice(0, colon), entry.slice(colon + 1)]
}

function trustProxy(value: string): boolean | string[] {
  if (value === 'true') return true
  return value === 'false' ? false : list(value)
}

function nest(env: Env) {
  const cores = availableParallelism()
  const [firstSecret = '', ...olderSecrets] = list(env.TICKET_SECRET)
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
      user: env.OPS_USER,
      password: env.OPS_PASSWORD,
      readOnly: env.OPS_READ_ONLY,
    },
    redisUrl: env.REDIS_URL as string,
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
    secrets: [firstSecret, ...olderSecrets] as const satisfies readonly [string, ...string[]],
    tickets: { keySets: keySets(env), ttlSeconds: env.TICKET_TTL_SECONDS, auth: env.AUTH },
    uploads: {
      maxBytes: env.MAX_UPLOAD_BYTES,
      expiryMs: Math.round(env.UPLOAD_EXPIRY_HOURS * 3_600_000),
      idleTimeoutMs: env.IDLE_TIMEOUT_SECONDS * 1000,
      receiveBudgetBytes: env.RECEIVE_BUDGET_BYTES,
      spoolMaxBytes: env.SPOOL_MAX_BYTES,
    },
    rates: { creation: env.CREATIONS_PER_MINUTE, session: env.SESSION_CALLS_PER_MINUTE },
    processes: env.PROCESSES === 'auto' ? cores : Number(env.PROCESSES),
    workers: {
      lanes:
        env.WORKER_LANES === 'all'
          ? [...LANES]
          : LANES.filter((lane) => list(env.WORKER_LANES).includes(lane)),
      transcodeConcurrency:
        env.TRANSCODE_CONCURRENCY === 'auto'
          ? Math.max(1, Math.floor(cores / 2))
          : Number(env.TRANSCODE_CONCURRENCY),
      isolation: env.MEDIA_ISOLATION,
    },
    webhooks: {
      url: env.WEBHOOK_URL,
      secrets: list(env.WEBHOOK_SECRET),
      allowed: allowedHosts(list(env.WEBHOOK_ALLOW_HOSTS), env.WEBHOOK_ALLOW_PRIVATE),
    },
    profilesDir: env.PROFILES_DIR,
    retention: { rejectedDays: env.RETAIN_REJECTED_DAYS, supersededDays: env.RETAIN_SUPERSEDED_DAYS },
    clamdUrl: env.CLAMD_URL,
    faultPoints: env.FAULT_POINTS,
    logLevel: env.LOG_LEVEL,
  }
}

/** Portal → where its key set is. Undefined: a URL alone, with several portals that it could belong to. */
function keySets(
  env: Pick<Env, 'TICKET_JWKS_URL' | 'API_KEYS'>,
): { portal: string | undefined; url: string }[] {
  const names = [...new Set(list(env.API_KEYS).map((entry) => splitKey(entry)[0]))]
  return list(env.TICKET_JWKS_URL).map((entry) => {
    const [, portal, url] = /^([^=/:]+)=(.*)$/.exec(entry) ?? []
    if (portal !== undefined && url !== undefined) return { portal, url }
    return { portal: names.length === 1 ? names[0] : undefined, url: entry }
  })
}

/** Not `aaaa…` or `123123…`: a secret that somebody typed to satisfy a length. */
function isVaried(secret: string): boolean {
  return new Set(secret).size >= 6
}
