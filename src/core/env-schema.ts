// The environment variables: names, types, defaults, meaning. README's table and .env.example are generated from this file.

import Type, { type Static } from 'typebox'

const DEFAULT_MAX_UPLOAD_BYTES = 10 * 1024 ** 3

const text = (description: string, fallback: string) => Type.String({ description, default: fallback })
const optional = (description: string) => Type.Optional(Type.String({ description }))
const whole = (description: string, fallback: number, minimum = 0, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ description, default: fallback, minimum, maximum })
const flag = (description: string, fallback: boolean) => Type.Boolean({ description, default: fallback })
const oneOf = <T extends string>(description: string, values: readonly [T, ...T[]]) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], description, default: values[0] })

/** All variables of the service and the workers, in the order of README's table. */
export const EnvSchema = Type.Object({
  PORT: whole('Port of the API and the tus endpoint', 8080, 0, 65_535),
  HOST: text('Listening address of the API', '127.0.0.1'),
  OPS_PORT: whole('Port of health checks, metrics, console, control settings and queue dashboard', 9464, 0, 65_535),
  OPS_HOST: text('Listening address of the operations listener', '127.0.0.1'),
  OPS_HOSTS: text(
    'Names of the operations listener besides addresses, names without a dot and the machine’s own, separated by commas',
    '',
  ),
  OPS_USER: text('User name for console, control settings and queue dashboard', 'ops'),
  OPS_PASSWORD: optional('Password for console, control settings and queue dashboard; unset: all three are off'),
  OPS_READ_ONLY: flag('Console, control settings and queue dashboard are read-only', true),
  PROMETHEUS_URL: optional('Prometheus with the rules of docker/prometheus: the console shows the alerts that fire'),
  PUBLIC_URL: optional('Base URL of the API for browsers; unset: taken from each request'),
  TRUST_PROXY: text('Proxies whose X-Forwarded-* headers are trusted: true, false, or addresses and networks', 'false'),
  KEEP_ALIVE_SECONDS: whole(
    'Idle connections are kept this long; set it longer than the proxy in front keeps them',
    65,
    1,
  ),
  CORS_ORIGINS: text('Origins of pages that may call the API, separated by commas; *: any', ''),
  PORTAL_PAGE: flag(
    'Serve the page /portal, which the url of a session opens; false: for portals with pages of their own',
    true,
  ),
  REDIS_URL: optional(
    'URL of Redis (append-only, noeviction), its Sentinels or its cluster: docs/redis.md; unset: npm start runs an embedded one',
  ),
  CLOCK_SKEW_LIMIT_SECONDS: whole(
    'A process is not ready if its clock differs by more from that of Redis, which decides dates',
    120,
    1,
  ),
  STORAGE: oneOf('Where bytes and records are kept', ['local', 's3']),
  DATA_DIR: text('Directory of the local store, the spool, scratch files and the embedded Redis', './data'),
  S3_BUCKET: optional('Bucket; required with STORAGE=s3'),
  S3_ENDPOINT: optional('Endpoint of an S3 server other than AWS'),
  S3_REGION: text('Region', 'us-east-1'),
  S3_FORCE_PATH_STYLE: flag('Bucket name in the path instead of the host name', true),
  API_KEYS: text(
    'API keys of portals: name:secret, separated by commas; the name is the namespace of submission ids',
    '',
  ),
  TICKET_SECRET: optional(
    'Signs tickets, and with keys derived for each purpose all that has no secret of its own; for rotation two, separated by a comma: the first one signs',
  ),
  SESSION_SECRET: optional('Signs sessions, in the same form; unset: TICKET_SECRET'),
  LINK_SECRET: optional('Signs media links, in the same form; unset: TICKET_SECRET'),
  RECEIPT_SECRET: optional('Signs receipts, in the same form; unset: TICKET_SECRET'),
  UPLOAD_ID_SECRET: optional(
    'Marks upload ids, and hashes names of people, in the same form; what was marked with a secret that is not listed is not found; unset: TICKET_SECRET',
  ),
  TICKET_JWKS_URL: optional(
    'Key sets of portals that sign tickets themselves: name=url, separated by commas; with one API key the URL alone',
  ),
  TICKET_TTL_SECONDS: whole(
    'How long a ticket can create uploads; running uploads do not expire with it',
    3600,
    10,
    604_800,
  ),
  AUTH: oneOf('none: no authentication on the tus endpoint, only behind your own gateway', ['ticket', 'none']),
  MAX_UPLOAD_BYTES: whole('Maximum file size', DEFAULT_MAX_UPLOAD_BYTES, 1),
  UPLOAD_EXPIRY_HOURS: Type.Number({
    description: 'Unfinished uploads are removed this long after their last received byte',
    default: 72,
    exclusiveMinimum: 0,
  }),
  MAX_UPLOADS_PER_SLOT: whole('Uploads in one slot of a submission, but for cancelled and expired ones', 500, 1),
  MAX_UPLOADS_PER_SUBMISSION: whole('Uploads that a submission ever has, whatever became of them', 1000, 1),
  MAX_SUPERSEDED_PER_SLOT: whole('Replaced files of one slot that are still kept', 100, 1),
  MAX_STORED_BYTES_PER_SLOT: whole(
    'Bytes that all files of one slot may keep together, rejected and replaced ones too; 0: no limit',
    250 * 1024 ** 3,
  ),
  MAX_OPEN_UPLOADS_PER_PERSON: whole('Unfinished uploads of one person at a time; 0: no limit', 200),
  MAX_OPEN_BYTES_PER_PERSON: whole(
    'Bytes that the unfinished uploads of one person have declared and not sent; 0: no limit',
    200 * 1024 ** 3,
  ),
  CREATIONS_PER_MINUTE: whole(
    'New uploads per person per minute, bursts allowed; resuming does not count; 0: no limit',
    300,
  ),
  SESSION_CALLS_PER_MINUTE: whole('Changes per person per minute through sessions; 0: no limit', 600),
  READS_PER_MINUTE: whole(
    'Reads of a submission and its uploads per person per minute, by an API key per submission, and checks of its receipts; 0: no limit',
    1200,
  ),
  WRONG_CREDENTIALS_PER_MINUTE: whole(
    'Wrong operator passwords and API keys per minute and address, ten times as many per account; 0: no limit',
    10,
  ),
  IDLE_TIMEOUT_SECONDS: whole(
    'A client that sends nothing for this long is disconnected, its bytes kept; JSON bodies must be complete within it',
    60,
    1,
  ),
  RECEIVE_BUDGET_BYTES: whole(
    'Memory for received bytes that are not yet stored, shared by the receiving processes',
    128 * 1024 ** 2,
    1024 ** 2,
  ),
  READ_BELOW_HTTP: flag(
    'Uploads are read straight from their sockets, where this Node can do it; false: always through node:http',
    true,
  ),
  RESUMABLE_UPLOADS: oneOf('draft: uploads by the IETF draft “Resumable Uploads for HTTP” too, besides tus', [
    'off',
    'draft',
  ]),
  SPOOL_MAX_BYTES: whole(
    'Disk for received bytes that are not yet stored: spilled S3 parts, bodies with a checksum',
    4 * 1024 ** 3,
  ),
  PROCESSES: text('Number of receiving processes that share the port; auto: one per core', 'auto'),
  WORKER_LANES: text('Lanes of a worker: all, or some of validate,inspect,transcode,notify,maintain', 'all'),
  TRANSCODE_CONCURRENCY: text('Concurrent transcodes per worker; auto: half of the cores, at least one', 'auto'),
  MEDIA_ISOLATION: oneOf(
    'Isolation of media tools: landlock (a worker does not start if it fails), or none (only for trusted files)',
    ['landlock', 'none'],
  ),
  WEBHOOK_URL: optional('Target of webhooks; a submission can have its own callbackUrl'),
  WEBHOOK_SECRET: optional('Signs webhooks (whsec_…); for rotation two, separated by a comma'),
  WEBHOOK_ALLOW_HOSTS: text(
    'Private hosts that webhooks may call: names, addresses and networks, separated by commas',
    '',
  ),
  WEBHOOK_ALLOW_PRIVATE: flag(
    'Webhooks may call any private or loopback address; better list them in WEBHOOK_ALLOW_HOSTS',
    false,
  ),
  PROFILES_DIR: optional('Directory of additional requirement profiles'),
  RETAIN_REJECTED_DAYS: whole('Rejected files are kept this long', 30),
  RETAIN_SUPERSEDED_DAYS: whole('Replaced files are kept this long', 90),
  SECURITY_LOG_DAYS: whole('Entries of the security log are kept in Redis this long', 90, 1, 3650),
  HEARTBEAT_SECONDS: whole(
    'Each service writes into the store this often that it is alive; three times as long without is an outage',
    10,
    1,
    60,
  ),
  PROBE_KEYS: text(
    'Keys of probes on other hosts, which may file outages and nothing else: name:secret, separated by commas',
    '',
  ),
  CLAMD_URL: optional('tcp://host:port or unix:/path of clamd; unset: no malware scan'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    'Collector of traces (OTLP over HTTP), such as http://127.0.0.1:4318; unset: no traces',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: optional('Headers for the collector: name=value, separated by commas'),
  OTEL_SERVICE_NAME: optional('Name in traces; unset: songngan and songngan-worker'),
  OTEL_RESOURCE_ATTRIBUTES: text('Attributes of all spans: name=value, separated by commas', ''),
  OTEL_TRACES_SAMPLER: oneOf('Which traces are recorded', [
    'parentbased_always_on',
    'always_on',
    'always_off',
    'traceidratio',
    'parentbased_always_off',
    'parentbased_traceidratio',
  ]),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    description: 'Share of the traces that a traceidratio sampler records',
    default: 1,
    minimum: 0,
    maximum: 1,
  }),
  LOAD_TEST_SECRET: optional(
    'Lets load-test tools with the same secret use this service; unset: they refuse. For test systems only',
  ),
  LOAD_TEST_MAX_CLIENTS: whole('Maximum number of clients of a load test', 500, 1),
  LOAD_TEST_MAX_MINUTES: whole('Maximum duration of a load test', 30, 1),
  LOAD_TEST_MAX_CLIENTS_PER_SECOND: whole('Maximum number of new clients per second of a load test', 20, 1),
  LOAD_TEST_MAX_MBIT: whole('Maximum rate of a load test in Mbit/s, over all its generators', 200, 1),
  FAULT_POINTS: optional('Fault-injection directory, tests only; refused unless HOST is loopback'),
  LOG_LEVEL: oneOf('Minimum log level', ['info', 'trace', 'debug', 'warn', 'error', 'fatal']),
})

export type Env = Static<typeof EnvSchema>
