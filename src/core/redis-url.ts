// REDIS_URL: one server, or the Sentinels that know which server is the primary.
//
//   redis://USER:PASSWORD@HOST:PORT/DB                        one server
//   redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME/DB
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

type Credentials = { username?: string; password?: string }

export const REDIS_URL_FORMS = 'redis://HOST:PORT/DB or redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB, or rediss for TLS'

const SEVERAL = /^(rediss?)\+(sentinel):\/\/(?:([^@]*)@)?([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i
const DEFAULT_PORT = 6379
const SENTINEL_PORT = 26379

/** Undefined: this is none of the forms. */
export function parseRedisUrl(url: string): RedisPlace | undefined {
  const [, scheme, , credentials = '', hostList = '', path = '', search = ''] = SEVERAL.exec(url) ?? []
  if (scheme === undefined) return parseSingle(url)
  const hosts = hostList.split(',').map((host) => parseHost(host, SENTINEL_PORT))
  const [name = '', db = '0', ...rest] = path.split('/').map(decoded)
  const query = new URLSearchParams(search)
  if (name === '' || !/^\d+$/.test(db) || rest.length > 0) return undefined
  if (!hosts.every((host) => host !== undefined)) return undefined
  const [username = '', ...password] = credentials.split(':')
  return {
    kind: 'sentinel',
    hosts,
    tls: scheme === 'rediss',
    ca: query.get('ca') ?? undefined,
    name,
    db: Number(db),
    user: credentialsOf(decoded(username), decoded(password.join(':'))),
    sentinelUser: credentialsOf(query.get('sentinelUser'), query.get('sentinelPassword')),
  }
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
