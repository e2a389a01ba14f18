// REDIS_URL: one server, the Sentinels that know which server is the primary, or nodes of a cluster.
//
//   redis://USER:PASSWORD@HOST:PORT/DB                        one server
//   redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME/DB
//   redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT         some nodes; the others are asked for
//
// With rediss: TLS to all of them. ?ca=FILE: their certificates are checked with this CA. Of the Sentinels themselves:
// ?sentinelUser= and ?sentinelPassword=.

export type RedisHost = { host: string; port: number }

export type RedisPlace =
  | { kind: 'single'; hosts: RedisHost[]; tls: boolean; ca: string | undefined; url: string }
  | {
      kind: 'sentinel'
      hosts: RedisHost[]
      tls: boolean
      ca: string | undefined
      /** The name under which the Sentinels watch the primary. */
      name: string
      db: number
      user: Credentials
      sentinelUser: Credentials
    }
  | { kind: 'cluster'; hosts: RedisHost[]; tls: boolean; ca: string | undefined; user: Credentials }

type Credentials = { username?: string; password?: string }

export const REDIS_URL_FORMS =
  'redis://HOST:PORT/DB, redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB or redis+cluster://HOST:PORT,HOST:PORT, or rediss for TLS'

const SEVERAL = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@]*)@)?([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i
const DEFAULT_PORT = 6379
const SENTINEL_PORT = 26379

/** Undefined: this is none of the forms. */
export function parseRedisUrl(url: string): RedisPlace | undefined {
  const [, scheme, kind, credentials = '', hostList = '', path = '', search = ''] = SEVERAL.exec(url) ?? []
  if (scheme === undefined) return parseSingle(url)
  const defaultPort = kind === 'sentinel' ? SENTINEL_PORT : DEFAULT_PORT
  const hosts = hostList.split(',').map((host) => parseHost(host, defaultPort))
  if (!hosts.every((host) => host !== undefined)) return undefined
  const query = new URLSearchParams(search)
  const [username = '', ...password] = credentials.split(':')
  const user = credentialsOf(decoded(username), decoded(password.join(':')))
  const shared = { hosts, tls: scheme === 'rediss', ca: query.get('ca') ?? undefined, user }
  if (kind === 'cluster') return path === '' || path === '0' ? { kind, ...shared } : undefined
  const [name = '', db = '0', ...rest] = path.split('/').map(decoded)
  if (name === '' || !/^\d+$/.test(db) || rest.length > 0) return undefined
  const sentinelUser = credentialsOf(query.get('sentinelUser'), query.get('sentinelPassword'))
  return { kind: 'sentinel', ...shared, name, db: Number(db), sentinelUser }
}

function parseSingle(text: string): RedisPlace | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return undefined
  const ca = url.searchParams.get('ca') ?? undefined
  url.searchParams.delete('ca')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    kind: 'single',
    hosts: [{ host, port: Number(url.port || DEFAULT_PORT) }],
    tls: url.protocol === 'rediss:',
    ca,
    url: ca === undefined ? text : url.href,
  }
}

function parseHost(text: string, defaultPort: number): RedisHost | undefined {
  const [, v6, name, port] = HOST.exec(text) ?? []
  const host = v6 ?? name
  return host === undefined ? undefined : { host, port: Number(port ?? defaultPort) }
}

function credentialsOf(username: string | null, password: string | null): Credentials {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) }
}

/** Text with a lone % stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
