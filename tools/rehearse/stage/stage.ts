// The rehearsal's own installation: Redis, a store, services behind a load balancer, workers.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { type HttpProxy, startHttpProxy } from '../../../test/support/http-proxy.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { s3Available, startS3, type TestS3 } from '../../../test/support/s3.ts'
import { type LogLine, type Running, startService, startWorker } from '../../../test/support/service.ts'
import { Undo } from '../../lib/undo.ts'
import { UsageError } from '../../lib/usage.ts'
import type { Scenario } from '../scenarios.ts'
import { makeSmallDisk, type SmallDisk } from './disk.ts'
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
  const undo = new Undo()
  try {
    return await start(scenario, run, undo)
  } catch (error) {
    await undo.run()
    throw error
  }
}

async function start(scenario: Scenario, run: string, undo: Undo): Promise<Stage> {
  if (scenario.storage === 's3' && !s3Available())
    throw new UsageError('No S3 server here: `npm test` builds one once, or set S3_TEST_ENDPOINT.')
  const disk = scenario.smallDisk === true ? await makeSmallDisk() : undefined
  if (disk !== undefined) undo.add(() => disk.remove())
  const dataDir = disk?.dir ?? (await mkdtemp(join(tmpdir(), 'songngan-rehearsal-')))
  if (disk === undefined) undo.add(() => rm(dataDir, { recursive: true, force: true }))
  const redis = await startRedis({ appendOnly: true })
  undo.add(() => redis.stop())
  const s3 = scenario.storage === 's3' ? await startS3() : undefined
  if (s3 !== undefined) undo.add(() => s3.stop())
  const proxy = s3 === undefined ? undefined : await startHttpProxy(s3.endpoint)
  if (proxy !== undefined) undo.add(() => proxy.stop())

  const apiKey = randomBytes(24).toString('base64url')
  const env = {
    REDIS_URL: redis.url,
    DATA_DIR: dataDir,
    API_KEYS: `rehearsal:${apiKey}`,
    LOG_LEVEL: 'warn',
    TICKET_SECRET: randomBytes(32).toString('base64url'),
    [MARK]: run,
    ...(s3 === undefined ? {} : { ...s3.env, S3_ENDPOINT: proxy?.url ?? s3.endpoint }),
  }
  const from = import.meta.dirname.includes(BUILT) && existsSync(import.meta.dirname) ? 'dist' : 'source'
  const services: Running[] = []
  const workers: Running[] = []
  const stopAll = (all: Running[]) => Promise.all(all.map((one) => one.stop()))
  undo.add(() => stopAll(workers))
  undo.add(() => stopAll(services))
  for (let i = 0; i < scenario.services; i++) services.push(await startService({ env, from }))
  for (let i = 0; i < scenario.workers; i++) workers.push(await startWorker({ env, from }))
  await Promise.all([...services, ...workers].map((one) => one.ready()))
  const front = await startFront(services.map(({ url }) => Number(new URL(url).port)))
  undo.add(() => front.stop())

  const keptLogs: LogLine[] = []
  return {
    run,
    url: front.url,
    apiKey,
    dataDir,
    services,
    workers,
    redis,
    s3,
    proxy,
    front,
    disk,
    keepLogs: (running) => void keptLogs.push(...running.logs()),
    troubles: () => counted([...keptLogs, ...[...services, ...workers].flatMap((one) => one.logs())]),
    async endProcesses() {
      await stopAll(services)
      await stopAll(workers)
    },
    remove: () => undo.run(),
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
