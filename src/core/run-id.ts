// Whose history Redis holds. After a restart or a fail-over it may be empty or older; another run id shows that.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Logger } from './logger.ts'
import { isCluster, type RedisConnection } from './redis.ts'

/** Remembers that a server was promoted, which its own INFO forgets an hour after its last replica has left. */
const PROMOTED_KEY = 'sn:promoted'
/** The same of a node of a cluster; anywhere in the cluster. */
const promotedKey = (runId: string) => `sn:{portals}:promoted:${runId}`

/**
 * Whose history the Redis behind a connection holds, known before any reply of a new connection is read: the run id of
 * the server and, where it was a replica before, the replication id of its promotion. A primary that comes back after a
 * fail-over has the run id that it had, and may have lost what was written last. Of a cluster: a hash over all primaries, so
 * that every process has the same one, and the loss of one node is seen by all.
 */
export class RunId {
  readonly #redis: RedisConnection
  readonly #logger: Logger
  /** By address; of one server under ''. */
  readonly #histories = new Map<string, string>()
  /** Addresses of the primaries. */
  #primaries = new Set<string>()
  #current = ''
  #asking = false

  constructor(redis: RedisConnection, logger: Logger) {
    this.#redis = redis
    this.#logger = logger
    if (!isCluster(redis)) {
      this.#primaries.add('')
      this.#watch(redis)
      return
    }
    for (const node of redis.nodes()) this.#watch(node)
    redis.on('+node', (node: Redis) => this.#watch(node))
    redis.on('refresh', () => this.#rolesTold(redis.nodes('master'), redis.nodes('slave')))
  }

  /** Empty before the first connection. */
  get current(): string {
    return this.#current
  }

  /** Asks again: lines stay when a server is made a replica, and when it is made the primary again. Never rejects. */
  async ask(): Promise<void> {
    // While it is away, what is asked would wait; it is asked on the new line anyway.
    if (this.#redis.status !== 'ready' || this.#asking) return
    this.#asking = true
    const servers = isCluster(this.#redis) ? this.#redis.nodes('master') : [this.#redis]
    await Promise.all(servers.map((server) => this.#askServer(server)))
    this.#asking = false
  }

  async #askServer(server: Redis): Promise<void> {
    const isPrimary = await this.#identify(server)
    // A replica takes no writes, and the connection would keep trying to find one that does.
    if (isPrimary)
      await this.#remember(this.#addressOf(server)).catch((err: unknown) =>
        this.#logger.debug({ err }, 'promotions cannot be looked up'),
      )
  }

  #watch(server: Redis): void {
    server.on('connect', () => void this.#identify(server))
    if (server.status === 'connect' || server.status === 'ready') void this.#identify(server)
  }

  #addressOf({ options }: Redis): string {
    return isCluster(this.#redis) ? `${options.host}:${options.port}` : ''
  }

  /** @returns whether it is a primary */
  async #identify(server: Redis): Promise<boolean> {
    try {
      // INFO is sent before the connection is ready, so its reply comes before those of all waiting commands.
      const [text, replication] = await Promise.all([server.info('server'), server.info('replication')])
      const isPrimary = /^role:master/m.test(replication)
      const address = this.#addressOf(server)
      if (isPrimary || !isCluster(this.#redis)) {
        this.#primaries.add(address)
        this.#learn(address, historyOf(text + replication, this.#histories.get(address) ?? ''))
      }
      return isPrimary
    } catch (err) {
      this.#logger.warn({ err }, 'Redis run id could not be read')
      return false
    }
  }

  async #remember(address: string): Promise<void> {
    const history = this.#histories.get(address) ?? ''
    const [runId = '', promoted] = history.split(':')
    const key = isCluster(this.#redis) ? promotedKey(runId) : PROMOTED_KEY
    const known = await this.#redis.get(key)
    // No other history: this server has forgotten by itself.
    if (promoted === undefined && known?.startsWith(`${runId}:`) === true) {
      this.#histories.set(address, known)
      this.#current = this.#combined()
    }
    if (promoted !== undefined && known !== history) await this.#redis.set(key, history)
  }

  /** A cluster told which nodes are primaries. */
  #rolesTold(primaries: Redis[], replicas: Redis[]): void {
    this.#primaries = new Set(primaries.map((node) => this.#addressOf(node)))
    // The line of a primary that was demoted: should it be promoted again, its history is asked for on a new one.
    for (const node of replicas) if (node.status !== 'wait') node.disconnect()
    const unknown = primaries.filter((node) => !this.#histories.has(this.#addressOf(node)))
    // A new primary is asked before anybody needs it. Its answer, not its coming, is the change.
    // One that cannot be reached is reported with the connection, and tried again at the next refresh.
    for (const node of unknown) if (node.status === 'wait') node.connect().catch(() => undefined)
    if (unknown.length === 0) this.#change()
  }

  #learn(address: string, history: string): void {
    this.#histories.set(address, history)
    this.#change()
  }

  #change(): void {
    const history = this.#combined()
    if (this.#current !== '' && history !== this.#current)
      this.#logger.warn('Redis restarted or was failed over: its state is checked before use')
    this.#current = history
  }

  #combined(): string {
    const known = [...this.#primaries].flatMap((address) => this.#histories.get(address) ?? [])
    if (!isCluster(this.#redis)) return known[0] ?? ''
    return createHash('sha256').update(known.toSorted().join('+')).digest('base64url').slice(0, 22)
  }
}

/** @param known a promotion of the same server that INFO has forgotten since is no change */
function historyOf(info: string, known: string): string {
  const field = (name: string) => new RegExp(`^${name}:(\\w+)`, 'm').exec(info)?.[1] ?? ''
  const runId = field('run_id')
  const wasReplica = field('role') === 'slave' || /[^0]/.test(field('master_replid2'))
  if (wasReplica) return `${runId}:${field('master_replid')}`
  return known.startsWith(`${runId}:`) ? known : runId
}
