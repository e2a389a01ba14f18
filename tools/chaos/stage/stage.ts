// A complete installation whose processes can be killed: Redis, a store, a webhook receiver, a service and a worker.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { LANES, type MaintainJob, QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { startHttpProxy } from '../../../test/support/proxy.ts'
import { startReceiver } from '../../../test/support/receiver.ts'
import { type RedisOptions, startRedis } from '../../../test/support/redis.ts'
import { startS3 } from '../../../test/support/s3.ts'
import { Portal } from '../../lib/portal.ts'
import type { StoreKind } from '../model.ts'
import { localBytes, s3Bytes } from './bytes.ts'
import type { Films } from './films.ts'
import { type KillableProcess, startKillable } from './killable.ts'
import { PROFILE, writeProfile } from './profile.ts'

export const OWNER = 'school'
export const API_KEY = 'school-secret-0123456789'
const TICKET_SECRET = 'a-ticket-secret-of-thirty-two-characters'
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

export async function openStage(
  kind: StoreKind,
  { films, redis: redisOptions, env: own = {}, preload = [], dataDir }: StageOptions,
) {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-chaos-'))
  const redis = await startRedis({ appendOnly: true, ...redisOptions })
  const s3 = kind === 's3' ? await startS3() : undefined
  const s3Line = s3 === undefined ? undefined : await startHttpProxy(s3.endpoint)
  const receiver = await startReceiver()
  await writeProfile(join(dir, 'profiles'))
  const admin = new Redis(redis.url, { maxRetriesPerRequest: null })
  admin.on('error', () => undefined) // outages are expected; commands wait
  const queues = Object.fromEntries(
    LANES.map((lane) => [lane, new Queue(lane, { connection: admin, prefix: QUEUE_PREFIX })]),
  ) as Record<(typeof LANES)[number], Queue>

  /** Makes everything that the reconciler would do later due now. */
  const hurry = async () => {
    for (const key of [redisKeys.due, redisKeys.dueSubmissions]) {
      const members = await admin.zrange(key, 0, -1)
      if (members.length > 0) await admin.zadd(key, 'XX', ...members.flatMap((member) => [0, member]))
    }
  }
  const data = dataDir ?? join(dir, 'data')
  const env = {
    REDIS_URL: redis.url,
    TICKET_SECRET,
    API_KEYS: `${OWNER}:${API_KEY}`,
    PROFILES_DIR: join(dir, 'profiles'),
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    RETAIN_REJECTED_DAYS: '0',
    DATA_DIR: data,
    ...s3?.env,
    ...(s3Line === undefined ? {} : { S3_ENDPOINT: s3Line.url }),
    ...own,
  }
  // With S3 every process has a data folder of its own, as on separate machines.
  const machine = (name: string) => (s3 === undefined ? data : join(dir, name))
  const options = { beforeStart: hurry, preload }
  const extras: KillableProcess[] = []
  const start = (role: 'service' | 'worker', name: string, more: Record<string, string> = {}) =>
    startKillable(role, dir, { ...options, env: { ...env, DATA_DIR: machine(name), ...more } })
  const service = await start('service', 'one')
  const worker = await start('worker', 'two')
  await Promise.all([service.ready(), worker.ready()])
  const portal = new Portal({ base: new URL(service.url), apiKey: API_KEY, retryDelaysMs: RETRY_DELAYS_MS })
  const bytes = s3 === undefined ? localBytes(data) : s3Bytes(s3)
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
      const extra = await start('service', `extra-${extras.length}`, more)
      extras.push(extra)
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

    async close(): Promise<void> {
      await Promise.all([...extras, service, worker].map((process) => process.stop()))
      await Promise.all(Object.values(queues).map((queue) => queue.close()))
      admin.disconnect()
      bytes.close()
      await receiver.close()
      await s3Line?.stop()
      await s3?.stop()
      await redis.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
