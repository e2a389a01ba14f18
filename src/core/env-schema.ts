// The environment variables: names, types, defaults and what they mean. README's table and .env.example are made from this.

import Type, { type Static } from 'typebox'

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
  OPS_PORT: whole('Port of health checks, metrics, console, switches and the queue dashboard', 9464, 0, 65_535),
  OPS_HOST: text('Address of the operations listener', '127.0.0.1'),
  OPS_USER: text('User name for console, switches and the queue dashboard', 'ops'),
  OPS_PASSWORD: optional('Password for console, switches and the queue dashboard; unset: all three are off'),
  OPS_READ_ONLY: flag('Console, switches and the queue dashboard show but change nothing', true),
  PUBLIC_URL: optional('Address under which browsers reach the API; unset: taken from each request'),
  TRUST_PROXY: text('Proxies whose X-Forwarded-* headers are trusted: true, false, or addresses and networks', 'false'),
  KEEP_ALIVE_SECONDS: whole('An idle connection is kept for this long; longer than a proxy in front keeps it', 65, 1),
  CORS_ORIGINS: text('Origins whose pages may call the API, separated by commas; * for any', ''),
  PORTAL_PAGE: flag(
    'The page /portal, which the url of a session opens; false: there is none, for portals with pages of their own',
    true,
  ),
  REDIS_URL: optional('Redis, append-only and noeviction; npm start brings its own where this is unset'),
  CLOCK_SKEW_LIMIT_SECONDS: whole(
    "A machine whose own clock differs by more from Redis', which decides dates, is not ready",
    120,
    1,
  ),
  STORAGE: oneOf('Where bytes and records are kept', ['local', 's3']),
  DATA_DIR: text('Directory of the local store, the spool, scratch files and the embedded Redis', './data'),
  S3_BUCKET: optional('Bucket; required with STORAGE=s3'),
  S3_ENDPOINT: optional('Endpoint of an S3 server other than AWS'),
  S3_REGION: text('Region', 'us-east-1'),
  S3_FORCE_PATH_STYLE: flag('Bucket name in the path instead of the host name', true),
  API_KEYS: text('Portals: name:secret, several separated by commas; the name is the name space of submission ids', ''),
  TICKET_SECRET: optional(
    'Signs tickets, sessions, links and upload ids; two separated by a comma for rotation: the first signs',
  ),
  TICKET_JWKS_URL: optional(
    'Key sets of portals that sign tickets themselves: name=url, several separated by commas; a URL alone where there is one API key',
  ),
  TICKET_TTL_SECONDS: whole('Life of a ticket, for creating uploads; running ones live on', 3600, 10, 604_800),
  AUTH: oneOf('none opens the tus endpoint: only behind a gateway of your own', ['ticket', 'none']),
  MAX_UPLOAD_BYTES: whole('Largest file', DEFAULT_MAX_UPLOAD_BYTES, 1),
  UPLOAD_EXPIRY_HOURS: Type.Number({
    description: 'Unfinished uploads are removed this long after their last byte',
    default: 72,
    exclusiveMinimum: 0,
  }),
  MAX_UPLOADS_PER_SLOT: whole('Uploads in one slot of a submission, but for cancelled and expired ones', 500, 1),
  MAX_UPLOADS_PER_SUBMISSION: whole('Uploads that a submission ever has, whatever became of them', 1000, 1),
  MAX_SUPERSEDED_PER_SLOT: whole('Replaced files of one slot that are still kept', 100, 1),
  MAX_OPEN_UPLOADS_PER_PERSON: whole('Unfinished uploads of one person at a time; 0: no limit', 200),
  MAX_OPEN_BYTES_PER_PERSON: whole(
    'Bytes that the unfinished uploads of one person have declared and not sent; 0: no limit',
    200 * 1024 ** 3,
  ),
  CREATIONS_PER_MINUTE: whole(
    'New uploads per person per minute, bursts allowed; resuming does not count; 0: no limit',
    300,
  ),
  SESSION_CALLS_PER_MINUTE: whole('Changes that the pages of one person may ask for in a minute; 0: no limit', 600),
  READS_PER_MINUTE: whole(
    'Reads of a submission and its uploads per person per minute, and by an API key per submission; 0: no limit',
    1200,
  ),
  IDLE_TIMEOUT_SECONDS: whole('A client that sends nothing for this long is cut; its bytes are kept', 60, 1),
  RECEIVE_BUDGET_BYTES: whole(
    'Memory for bytes on their way to the store, shared by the receiving processes',
    128 * 1024 ** 2,
    1024 ** 2,
  ),
  SPOOL_MAX_BYTES: whole('Disk for bytes not counted yet: spilled S3 parts, checksummed bodies', 4 * 1024 ** 3),
  PROCESSES: text('Receiving processes behind the one port; auto: one per core', 'auto'),
  WORKER_LANES: text('Lanes a worker runs: all, or validate,inspect,transcode,notify,maintain', 'all'),
  TRANSCODE_CONCURRENCY: text('Transcodes at a time per worker; auto: half of the cores, at least one', 'auto'),
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
