// A complete installation whose processes can be killed: Redis, a store, a webhook receiver, a service and a worker.

import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { LANES, type MaintainJob, QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { API_KEY, type Installation, openInstallation, PORTAL } from '../../../test/support/installation.ts'
import { startHttpProxy } from '../../../test/support/proxy.ts'
import { startReceiver } from '../../../test/support/receiver.ts'
import type { RedisOptions } from '../../../test/support/redis.ts'
import type { Role } from '../../../test/support/service.ts'
import { Portal } from '../../lib/portal.ts'
import type { StoreKind } from '../model.ts'
import { localBytes, s3Bytes } from './bytes.ts'
import type { Films } from './films.ts'
import { type KillableProcess, startKillable } from './killable.ts'
import { PROFILE, writeProfile } from './profile.ts'

export { API_KEY, PORTAL as OWNER }

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
/** The portal retries for far longer than a process needs to restart. */
const RETRY_DELAYS_MS: readonly number[] = Array.from({ length: 120 }, () => 250)

export type Stage = Awaited<ReturnType<typeof openStage>>

export type StageOptions = {
  films: Films
  redis?: RedisOptions
  env?: Record<string, string>
  preload?: string[]
  /** DATA_DIR; default a new folder. */
  dataDir?: string
}

export function openStage(store: StoreKind, { redis = {}, dataDir, ...options }: StageOptions) {
  const wanted = { store, redis, ...(dataDir === undefined ? {} : { dataDir }) }
  return openInstallation(wanted, (installation) => onInstallation(store, options, installation))
}

async function onInstallation(
  kind: StoreKind,
  { films, env: own = {}, preload = [] }: Omit<StageOptions, 'redis' | 'dataDir'>,
  { dir, dataDir: data, redis, s3, undo, close, envOf }: Installation,
) {
  const s3Line = s3 === undefined ? undefined : await startHttpProxy(s3.endpoint)
  undo.add(() => s3Line?.stop())
  const receiver = await startReceiver()
  undo.add(() => receiver.close())
  await writeProfile(join(dir, 'profiles'))
  const admin = new Redis(redis.url, { maxRetriesPerRequest: null })
  admin.on('error', () => undefined) // outages are expected; commands wait
  undo.add(() => admin.disconnect())
  const queues = Object.fromEntries(
    LANES.map((lane) => [
      lane,
      new Queue(lane, { connection: admin, prefix: QUEUE_PREFIX }).on('error', () => undefined),
    ]),
  ) as Record<(typeof LANES)[number], Queue>
  undo.add(() => Promise.all(Object.values(queues).map((queue) => queue.close())))

  /** Makes everything that the reconciler would do later due now. */
  const hurry = async () => {
    const lists = (['due', 'due-submissions', 'due-erasures'] as const).flatMap(redisKeys.everyDue)
    for (const key of lists) {
      const members = await admin.zrange(key, 0, -1)
      if (members.length > 0) await admin.zadd(key, 'XX', ...members.flatMap((member) => [0, member]))
    }
  }
  const env = {
    PROFILES_DIR: join(dir, 'profiles'),
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    RETAIN_REJECTED_DAYS: '0',
    ...(s3Line === undefined ? {} : { S3_ENDPOINT: s3Line.url }),
    ...own,
  }
  const processes: KillableProcess[] = []
  undo.add(() => Promise.all(processes.map((one) => one.stop())))
  const start = async (role: Role, more: Record<string, string> = {}) => {
    const options = { env: await envOf({ ...env, ...more }), beforeStart: hurry, preload }
    const one = await startKillable(role, dir, options)
    processes.push(one)
    return one
  }
  const [service, worker] = await Promise.all([start('service'), start('worker')])
  await Promise.all([service.ready(), worker.ready()])
  const portal = new Portal({ base: new URL(service.url), apiKey: API_KEY, retryDelaysMs: RETRY_DELAYS_MS })
  const bytes = s3 === undefined ? localBytes(data) : s3Bytes(s3)
  undo.add(() => bytes.close())
  let submissions = 0

  return {
    kind,
    dir,
    data,
    films,
    redis,
    admin,
    queues,
    s3,
    s3Line,
    receiver,
    service,
    worker,
    portal,
    bytes,
    hurry,

    /** A second service with settings of its own. */
    async extraService(more: Record<string, string>): Promise<KillableProcess> {
      const extra = await start('service', more)
      await extra.ready()
      return extra
    },

    async submission(): Promise<string> {
      const id = `chaos-${++submissions}`
      await portal.putSubmission(id, { profile: PROFILE })
      return id
    },

    /** Queues a task of the lane `maintain`. */
    async maintain(task: MaintainJob['task']): Promise<void> {
      await queues.maintain.add('maintain', { task }, { removeOnComplete: true, removeOnFail: true })
    },

    close,
  }
}
