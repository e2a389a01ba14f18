// The rehearsal's own installation: Redis, a store, services behind a load balancer, workers.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { type HttpProxy, startHttpProxy } from '../../../test/support/http-proxy.ts'
import { API_KEY, type Installation, openInstallation } from '../../../test/support/installation.ts'
import type { TestRedis } from '../../../test/support/redis.ts'
import { s3Available, type TestS3 } from '../../../test/support/s3.ts'
import type { LogLine, Running } from '../../../test/support/service.ts'
import { makeSmallDisk, type SmallDisk } from '../../lib/small-disk.ts'
import { Undo } from '../../lib/undo.ts'
import { UsageError } from '../../lib/usage.ts'
import type { Scenario } from '../scenarios.ts'
import { type Front, startFront } from './front.ts'

const BUILT = `${sep}dist${sep}`
/** In the environment of every process that is started, to find leftover processes. */
export const MARK = 'SONGNGAN_REHEARSAL'

export type Stage = {
  readonly run: string
  readonly url: string
  readonly apiKey: string
  readonly dataDir: string
  readonly services: Running[]
  readonly workers: Running[]
  readonly redis: TestRedis
  readonly s3: TestS3 | undefined
  /** Proxy in front of S3. */
  readonly proxy: HttpProxy | undefined
  readonly front: Front
  readonly disk: SmallDisk | undefined
  /** Keeps what a process has logged before it is ended or replaced. */
  keepLogs(running: Running): void
  /** Lines of level error and above of all processes so far, counted by message. */
  troubles(): Record<string, number>
  /** Stops services and workers in order, so that running jobs are released. The store keeps running. */
  endProcesses(): Promise<void>
  /** Stops the rest. */
  remove(): Promise<void>
}

export async function startStage(scenario: Scenario, run: string): Promise<Stage> {
  if (scenario.storage === 's3' && !s3Available())
    throw new UsageError('No S3 server here: `npm test` builds one once, or set S3_TEST_ENDPOINT.')
  const undo = new Undo()
  const disk = scenario.smallDisk === true ? await makeSmallDisk() : undefined
  undo.add(() => disk?.remove())
  const dataDir = disk?.dir ?? (await mkdtemp(join(tmpdir(), 'songngan-rehearsal-')))
  undo.add(() => rm(dataDir, { recursive: true, force: true }))
  const from = import.meta.dirname.includes(BUILT) && existsSync(import.meta.dirname) ? 'dist' : 'source'
  const env = { LOG_LEVEL: 'warn', [MARK]: run }
  return await openInstallation(
    { undo, dataDir, env, from, store: scenario.storage, redisAs: scenario.redis ?? 'one' },
    (installation) => onInstallation(scenario, { run, disk }, installation),
  )
}

async function onInstallation(
  scenario: Scenario,
  own: Pick<Stage, 'run' | 'disk'>,
  { dataDir, redis, s3, undo, close, ...installation }: Installation,
): Promise<Stage> {
  const proxy = s3 === undefined ? undefined : await startHttpProxy(s3.endpoint)
  undo.add(() => proxy?.stop())
  const way: Record<string, string> = proxy === undefined ? {} : { S3_ENDPOINT: proxy.url }
  const [services, workers] = await Promise.all([
    Promise.all(Array.from({ length: scenario.services }, () => installation.service(way))),
    Promise.all(Array.from({ length: scenario.workers }, () => installation.worker(way))),
  ])
  const front = await startFront(services.map(({ url }) => Number(new URL(url).port)))
  undo.add(() => front.stop())
  const stopAll = (all: Running[]) => Promise.all(all.map((one) => one.stop()))

  const keptLogs: LogLine[] = []
  return {
    ...own,
    url: front.url,
    apiKey: API_KEY,
    dataDir,
    services,
    workers,
    redis,
    s3,
    proxy,
    front,
    keepLogs: (running) => void keptLogs.push(...running.logs()),
    troubles: () => counted([...keptLogs, ...[...services, ...workers].flatMap((one) => one.logs())]),
    async endProcesses() {
      await stopAll(services)
      await stopAll(workers)
    },
    remove: close,
  }
}

function counted(lines: readonly LogLine[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { level, msg } of lines) {
    if (!['error', 'fatal', 'warn'].includes(level)) continue
    const what = `${level}: ${msg}`
    counts[what] = (counts[what] ?? 0) + 1
  }
  return counts
}
