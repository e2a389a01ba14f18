// A Redis Cluster of one test: three primaries, and a replica of the first, which has most slots and the lists of the portals.

import { Redis } from 'ioredis'
import { Undo } from '../../tools/lib/undo.ts'
import { waitFor } from './http.ts'
import { type RedisOptions, startRedis, type TestRedis } from './redis.ts'
import type { TestSentinels } from './sentinel.ts'

const LAST_SLOT = 16_383
/** A node that is silent for so long has failed. On a busy machine a living one is silent for a second. */
const FAIL_OVER_MS = 2000
/** Longer than a test: only `takeOver` makes the replica the primary. */
const NEVER_MS = 600_000

/**
 * `kill` and `pause` are of the first primary, or of its replica after `failedOver`; `restart` and `resume` of the one that was
 * killed or paused last.
 */
export type TestCluster = TestSentinels & {
  /** Makes the replica the primary, whether it has everything or not. */
  takeOver(): Promise<void>
}

/** @param options.failsOver false: a test says itself when the replica takes over */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const undo = new Undo()
  try {
    return await opened(options, undo)
  } catch (error) {
    await undo.run()
    throw error
  }
}

type ClusterOptions = RedisOptions & { failsOver?: boolean }
type Node = TestRedis & { line: Redis }

async function opened({ args = [], failsOver = true, ...options }: ClusterOptions, undo: Undo): Promise<TestCluster> {
  const start = async (): Promise<Node> => {
    const own = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(failsOver ? FAIL_OVER_MS : NEVER_MS)]
    const copy = ['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0']
    const server = await startRedis({ ...options, args: [...args, ...own, ...copy] })
    undo.add(() => server.stop())
    const line = new Redis(server.url, { maxRetriesPerRequest: null })
    line.on('error', () => undefined) // it waits for the server
    undo.add(() => line.disconnect())
    return { ...server, line }
  }
  const nodes = await Promise.all([start(), start(), start(), start()])
  const [first, second, third, replica] = nodes
  const shares = [
    [first, 0, 9999],
    [second, 10_000, 12_999],
    [third, 13_000, LAST_SLOT],
  ] as const
  for (const [{ line }, from, to] of shares) await line.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
  for (const [i, { line }] of nodes.entries()) await line.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
  for (const { port } of nodes.slice(1)) await first.line.call('CLUSTER', 'MEET', '127.0.0.1', port)
  const isWhole = async ({ line }: Node) => {
    const info = (await line.call('CLUSTER', 'INFO')) as string
    return /cluster_state:ok/.test(info) && /cluster_known_nodes:4/.test(info)
  }
  await waitFor(async () => (await Promise.all(nodes.map(isWhole))).every(Boolean), { what: 'the cluster to be whole' })
  await replica.line.call('CLUSTER', 'REPLICATE', (await first.line.call('CLUSTER', 'MYID')) as string)
  const isFollowing = async ({ line }: Node) => /master_link_status:up/.test(await line.info('replication'))
  await waitFor(() => isFollowing(replica), { what: 'the replica to follow' })

  let [primary, gone] = [first, first]
  const other = () => (primary === first ? replica : first)
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    port: first.port,
    get dir() {
      return primary.dir
    },
    async part() {
      const to = other()
      await waitFor(() => isFollowing(to), { what: 'the replica to follow' })
      // It asks the primary for the rest at once, and is refused: there is no such password.
      await to.line.config('SET', 'masterauth', 'refused')
      await primary.line.client('KILL', 'TYPE', 'replica')
      await waitFor(async () => !(await isFollowing(to)), { what: 'the replica to lose its link' })
    },
    async takeOver() {
      await other().line.call('CLUSTER', 'FAILOVER', 'TAKEOVER')
      primary = other()
    },
    async failedOver() {
      const to = other()
      await waitFor(async () => /role:master/.test(await to.line.info('replication')), { what: 'the fail-over' })
      primary = to
    },
    kill: () => {
      gone = primary
      return gone.kill()
    },
    restart: (to) => gone.restart(to),
    emptyDir: () => first.emptyDir(),
    snapshot: () => primary.snapshot(),
    pause: async () => {
      gone = primary
      gone.pause()
    },
    resume: () => gone.resume(),
    stop: () => undo.run(),
  }
}
