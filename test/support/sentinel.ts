// A primary, a replica and three Sentinels of one test, as operators run them: who is the primary is what the Sentinels say.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Undo } from '../../tools/lib/undo.ts'
import { startChild } from './children.ts'
import { freePort, waitFor } from './http.ts'
import { type RedisOptions, startRedis, type TestRedis } from './redis.ts'

const NAME = 'songngan'
const SENTINELS = 3
/** After so long without an answer a Sentinel thinks that a server is down. */
const DOWN_AFTER_MS = 1000

export type TestSentinels = Omit<TestRedis, 'pause'> & {
  pause(): Promise<void>
  /** Resolves when the replica has lost its link to the primary: what is written from now on, it never has. */
  part(): Promise<void>
  /** Resolves when the Sentinels have made another server the primary than was killed, or paused, last. */
  failedOver(): Promise<void>
}

/**
 * `kill`, `pause`, `restart` and `resume` are of the primary at that time; `restart` and `resume` of the one that was
 * killed or paused last. `port` is that of the first primary.
 */
export async function startSentinels(options: RedisOptions = {}): Promise<TestSentinels> {
  const undo = new Undo()
  try {
    return await opened(options, undo)
  } catch (error) {
    await undo.run()
    throw error
  }
}

async function opened({ args = [], ...options }: RedisOptions, undo: Undo): Promise<TestSentinels> {
  const start = async (...own: string[]) => {
    const server = await startRedis({ ...options, args: [...args, '--repl-diskless-sync-delay', '0', ...own] })
    undo.add(() => server.stop())
    return server
  }
  const first = await start()
  const second = await start('--replicaof', `127.0.0.1 ${first.port}`)
  await waitFor(async () => /master_link_status:up/.test(await told(second, (line) => line.info('replication'))), {
    what: 'the replica to follow',
  })
  const ports = await startAll(first.port, await first.emptyDir(), undo)
  const sentinel = new Redis(ports[0] ?? 0, '127.0.0.1', { maxRetriesPerRequest: null })
  undo.add(() => sentinel.disconnect())
  sentinel.on('error', () => undefined) // it waits for the first one
  const primary = async () => {
    const [, port] = (await sentinel.call('SENTINEL', 'get-master-addr-by-name', NAME)) as string[]
    return Number(port) === first.port ? first : second
  }
  // A fail-over needs to know the replica, and the other Sentinels.
  await waitFor(
    async () => {
      const master = (await sentinel.call('SENTINEL', 'master', NAME)) as string[]
      const field = (name: string) => master[master.indexOf(name) + 1]
      return field('num-slaves') === '1' && field('num-other-sentinels') === String(SENTINELS - 1)
    },
    { what: 'the Sentinels to know each other and the replica' },
  )
  let gone = first
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    port: first.port,
    get dir() {
      return gone.dir
    },
    async part() {
      const [from, to] = (await primary()) === first ? [first, second] : [second, first]
      // It asks the primary for the rest at once, and is refused: there is no such password.
      await told(to, (line) => line.config('SET', 'masterauth', 'refused'))
      await told(from, (line) => line.client('KILL', 'TYPE', 'replica'))
      await waitFor(async () => /master_link_status:down/.test(await told(to, (line) => line.info('replication'))))
    },
    async failedOver() {
      await waitFor(async () => (await primary()) !== gone, { what: 'the Sentinels to fail over' })
      const other = gone === first ? second : first
      await waitFor(async () => /role:master/.test(await told(other, (line) => line.info('replication'))))
    },
    async kill() {
      gone = await primary()
      await gone.kill()
    },
    restart: (to) => gone.restart(to),
    emptyDir: () => first.emptyDir(),
    snapshot: () => gone.snapshot(),
    async pause() {
      gone = await primary()
      gone.pause()
    },
    resume: () => gone.resume(),
    stop: () => undo.run(),
  }
}

async function startAll(primaryPort: number, dir: string, undo: Undo): Promise<number[]> {
  const ports: number[] = []
  for (let i = 0; i < SENTINELS; i++) {
    const port = await freePort()
    const file = join(dir, `sentinel-${i}.conf`)
    const watch = [
      `monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
      `down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `failover-timeout ${NAME} 6000`,
    ]
    const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...watch.map((line) => `sentinel ${line}`)]
    await writeFile(file, `${lines.join('\n')}\n`)
    const child = await startChild('redis-server', [file, '--sentinel'])
    undo.add(async () => void (await child.stop()))
    ports.push(port)
  }
  return ports
}

async function told<T>(server: TestRedis, ask: (line: Redis) => Promise<T>): Promise<T> {
  const line = new Redis(server.url, { maxRetriesPerRequest: null })
  line.on('error', () => undefined) // it waits for the server
  try {
    return await ask(line)
  } finally {
    line.disconnect()
  }
}
