// The environment of integration tests, in one process: the service's own parts over a Redis and a store of the test's own,
// the app on a port or asked directly, uploads made by hand, and a worker where one is wanted.
// Several environments over one Redis and one store are several machines.

import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../../src/app.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { loadConfig } from '../../src/core/config.ts'
import { createLogger } from '../../src/core/logger.ts'
import { connectRedis, type RedisConnection, type RedisRole } from '../../src/core/redis.ts'
import { createDeps } from '../../src/deps.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import type { ProfileData } from '../../src/submissions/profiles/schema.ts'
import { startUploads } from '../../src/uploads/lifecycle.ts'
import { createWorkerContext } from '../../workers/create-worker-context.ts'
import { testClock } from './clock.ts'
import { startCluster } from './cluster.ts'
import { TICKET_SECRET } from './drafts.ts'
import { OTHER_KEY, PORTAL_KEY, portalCalls } from './environment-calls.ts'
import { madeUploads } from './environment-uploads.ts'
import { workerRuns } from './environment-worker.ts'
import type { StoreKind } from './over-both-stores.ts'
import { TEST_PROFILES, writeProfiles } from './profiles.ts'
import { startRedis, type TestRedis } from './redis.ts'
import { startS3, type TestS3, useCredentials } from './s3.ts'

export { OWNER, TICKET_SECRET } from './drafts.ts'
export { OTHER_KEY, PORTAL_KEY } from './environment-calls.ts'

export type EnvironmentOptions = {
  store?: StoreKind
  /** Of another environment, to be a second machine. Absent: one of its own, ended with it. */
  redis?: TestRedis
  /** Another way to that Redis, through a proxy. */
  redisUrl?: string
  appendOnly?: boolean
  s3?: TestS3
  /** Another way to that S3 server, through a proxy. */
  s3Endpoint?: string
  /** Of another environment: the same directory. */
  dataDir?: string
  /** In the place of the store for records and media. */
  objectStore?: ObjectStore
  env?: Record<string, string>
  clock?: Clock
  /** As LATE_LOOP_MS. A busy machine is no surge: tests, clients and ffmpeg share it, so absent none is too late. */
  lateLoopMs?: number
  /** How long the holder of an upload may be silent before it counts as dead; absent, as ever: 100 ms, which a busy machine exceeds. */
  holderSilenceMs?: number
  /** How long webhooks that are queued again after a loss of Redis wait. */
  webhookDelayMs?: number
  /** Profiles in the place of, or besides, those of ./profiles.ts. */
  profiles?: ProfileData[]
  /** False: nothing listens, the app is asked by `call` alone, and the index counts as complete from the start. */
  listens?: boolean
  /** Of the worker, whose media tools are proved only for lanes that open files. */
  lanes?: string
}

export type Environment = Awaited<ReturnType<typeof openEnvironment>>

export async function openEnvironment(options: EnvironmentOptions = {}) {
  const { store = 'local', env = {}, clock = systemClock, listens = true, webhookDelayMs } = options
  const { lateLoopMs = Number.POSITIVE_INFINITY } = options
  const startAny = process.env['TEST_REDIS'] === 'cluster' ? startCluster : startRedis
  const redis = options.redis ?? (await startAny({ appendOnly: options.appendOnly ?? false }))
  const s3 = store === 's3' ? (options.s3 ?? (await startS3())) : undefined
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'songngan-test-')))
  const profilesDir = join(dataDir, 'profiles')
  await writeProfiles(profilesDir, [...TEST_PROFILES, ...(options.profiles ?? [])])
  if (s3 !== undefined) useCredentials(s3)
  const variables: Record<string, string> = {
    REDIS_URL: options.redisUrl ?? redis.url,
    DATA_DIR: dataDir,
    PROFILES_DIR: profilesDir,
    TICKET_SECRET,
    API_KEYS: `portal:${PORTAL_KEY},other:${OTHER_KEY}`,
    PORT: '0',
    WORKER_LANES: options.lanes ?? 'maintain',
    TRANSCODE_CONCURRENCY: '1',
    // All clients of a test have one address; tests of the brake set it.
    WRONG_CREDENTIALS_PER_MINUTE: '0',
    ...s3?.env,
    ...(options.s3Endpoint === undefined ? {} : { S3_ENDPOINT: options.s3Endpoint }),
    ...env,
  }
  const config = loadConfig(variables)
  const lines: string[] = []
  const level = process.env['TEST_LOG_LEVEL'] ?? 'info'
  const logger = createLogger({ name: 'test', level }, { write: (line) => void lines.push(line) })
  const { holderSilenceMs } = options
  const overrides = {
    clock,
    lateLoopMs,
    ...(webhookDelayMs === undefined ? {} : { webhookDelayMs }),
    ...(options.objectStore === undefined ? {} : { store: options.objectStore }),
    ...(holderSilenceMs === undefined ? {} : { holderSilenceMs }),
  }
  const deps = await createWorkerContext(await createDeps(config, logger, overrides))
  const stopUploads = listens ? await startUploads(deps) : async () => undefined
  const app = await buildApp(deps)
  if (listens) await app.listen({ host: '127.0.0.1', port: 0 })
  else {
    await app.ready()
    await deps.rebuilder.heal()
  }
  const url = listens ? `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` : ''
  const worker = workerRuns(deps)
  const connections: RedisConnection[] = []

  let open = true
  const leave = async () => {
    if (!open) return
    open = false
    await worker.stop()
    await stopUploads()
    app.server.closeAllConnections()
    await app.close()
    for (const connection of connections) connection.disconnect()
    await deps.close()
  }
  return {
    deps,
    app,
    url,
    redis,
    s3,
    dataDir,
    store,
    env: variables,
    clock,
    lines,
    stopUploads,
    /** One more connection to Redis, as another process has. */
    connect(role: RedisRole): RedisConnection {
      const connection = connectRedis(redis.url, role, logger)
      connections.push(connection)
      return connection
    },
    ...portalCalls(app, url),
    ...madeUploads(deps),
    ...worker,
    leave,
    /** Ends the service, and whatever this environment started for itself. */
    async close() {
      await leave()
      if (options.redis === undefined) await redis.stop()
      if (options.s3 === undefined) await s3?.stop()
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** One that is asked directly, at https://songngan.example, and whose time stands still until the test moves it. */
export async function openStillEnvironment(env: Record<string, string> = {}) {
  const clock = testClock()
  const opened = await openEnvironment({
    clock,
    listens: false,
    env: { PUBLIC_URL: 'https://songngan.example', ...env },
  })
  return { ...opened, clock }
}

export type StillEnvironment = Awaited<ReturnType<typeof openStillEnvironment>>
