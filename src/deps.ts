// Creates all dependencies, for service and workers.

import { hostname } from 'node:os'
import { join } from 'node:path'
import { CredentialGuard } from './audit/credential-guard.ts'
import { SecurityLog } from './audit/security-log.ts'
import { Auth } from './auth/authenticate.ts'
import { RateLimiter } from './auth/rate-limit.ts'
import { Revocations } from './auth/revocations.ts'
import { Tokens } from './auth/tokens.ts'
import type { Clock } from './core/clock.ts'
import type { Config } from './core/config.ts'
import { openFaultPoints } from './core/fault-points.ts'
import type { Logger } from './core/logger.ts'
import { createMetrics } from './core/metrics.ts'
import { PersonalHash } from './core/personal-hash.ts'
import { connectRedis, waitForRedis } from './core/redis.ts'
import { requirePrimary } from './core/redis-shape.ts'
import { RedisWatch } from './core/redis-watch.ts'
import { RunId } from './core/run-id.ts'
import { openTracing } from './core/tracing.ts'
import { createOutages } from './create-outages.ts'
import { createStores } from './create-stores.ts'
import { Erasure } from './erasure/erasure.ts'
import { LiveEvents } from './events/live.ts'
import { EventLog } from './events/log.ts'
import { ProgressWatch } from './events/progress.ts'
import { requeueWebhooks } from './events/requeue.ts'
import { StreamRestore } from './events/restore.ts'
import { Deliveries } from './events/webhooks.ts'
import { Attempts } from './evidence/attempts.ts'
import { ReceiptKeys } from './evidence/receipt-keys.ts'
import { Receipts } from './evidence/receipts.ts'
import { Queues } from './jobs/queues.ts'
import { AssemblyLeases } from './lifecycle/assembly-leases.ts'
import { Completion } from './lifecycle/completion.ts'
import { LaneJobs } from './lifecycle/lane-jobs.ts'
import { LaneLeases } from './lifecycle/lane-leases.ts'
import { Rebuilder } from './lifecycle/rebuild.ts'
import { Reconciler } from './lifecycle/reconcile.ts'
import { FindIndex } from './ops/find/find-index.ts'
import { FleetKeyDerivation } from './ops/key-derivation.ts'
import { PresentStateWatch } from './present-state.ts'
import { RecordIndex } from './records/record-index.ts'
import { SubmissionHeads } from './records/submission-heads.ts'
import { UploadRecords } from './records/upload-records.ts'
import { UploadSessionStore } from './records/upload-session-store.ts'
import { UploadViews } from './records/upload-views.ts'
import type { ObjectStore } from './storage/object-store.ts'
import { DeadlineWork } from './submissions/deadlines/deadline-work.ts'
import { settleDueSubmissions } from './submissions/due-submissions.ts'
import { loadProfiles, shippedProfilesDir } from './submissions/profiles/loader.ts'
import { SameContent } from './submissions/same-content.ts'
import { UniqueKeys } from './submissions/unique-keys.ts'
import { Admission, LATE_LOOP_MS } from './uploads/admission.ts'
import { ByteBudget } from './uploads/budget.ts'
import { expireUpload } from './uploads/expire.ts'
import { UploadLocks } from './uploads/lock.ts'
import { Peers } from './uploads/peers.ts'
import { PersonLimits } from './uploads/person-limits.ts'
import { SocketReading } from './uploads/socket-reading.ts'
import { Spool } from './uploads/stores/spool.ts'

export type Deps = Awaited<ReturnType<typeof createDeps>>

const REDIS_START_MS = 20_000

/** Longer than one webhook attempt: by then a running delivery has recorded its result. */
const DELIVERY_MS = 25_000

type Overrides = {
  clock?: Clock
  webhookDelayMs?: number
  lateLoopMs?: number
  holderSilenceMs?: number
  securityLines?: boolean
  /** `service.name` in traces, unless it is configured. */
  name?: string
  /** For records and media; what is uploaded is stored as configured. */
  store?: ObjectStore
}

/** @param overrides replacements for tests; the command line has no lines of the security log in its output */
export async function createDeps(config: Config, logger: Logger, overrides: Overrides = {}) {
  openFaultPoints(config.faultPoints)
  const metrics = createMetrics()
  const processName = `${hostname()}:${process.pid}`
  await requirePrimary(config.redisUrl, REDIS_START_MS, logger)
  const redis = {
    hot: connectRedis(config.redisUrl, 'hot', logger),
    jobs: connectRedis(config.redisUrl, 'jobs', logger),
    producer: connectRedis(config.redisUrl, 'producer', logger),
    subscriber: connectRedis(config.redisUrl, 'subscriber', logger),
  }
  const runId = new RunId(redis.hot, logger)
  // BullMQ's producer fails at once while not connected: wait for Redis first.
  await Promise.all(Object.values(redis).map((connection) => waitForRedis(connection, REDIS_START_MS)))
  // In a cluster lines are made when they are needed, and the run id is over all primaries.
  await runId.ask()
  const redisWatch = new RedisWatch({ redis: redis.producer, runId, logger })
  await redisWatch.start()
  const clock = overrides.clock ?? redisWatch.clock
  const securityLog = new SecurityLog({
    redis: redis.producer,
    clock,
    metrics,
    logger,
    retentionDays: config.retention.securityLogDays,
    lines: overrides.securityLines ?? true,
  })
  const { name = 'songngan' } = overrides
  const tracing = await openTracing(config.tracing, { name, instance: processName }, logger)
  const budget = new ByteBudget(config.uploads.receiveBudgetBytes / config.processes, metrics)
  const spool = new Spool(join(config.storage.dataDir, 'spool', String(process.pid)), config.uploads.spoolMaxBytes)
  const created = await createStores(config, { budget, spool }, metrics)
  const { uploadStore } = created
  const store = overrides.store ?? created.store
  const index = new RecordIndex(redis.hot, runId, clock)
  const hot = new UploadSessionStore(redis.hot, runId, clock)
  const uploads = new UploadRecords({ store, index, clock, logger })
  const heads = new SubmissionHeads({ store, index, uploads, clock, logger })
  const views = new UploadViews({ redis: redis.hot, records: uploads, heads, index, hot })
  const queues = new Queues(redis.producer, logger)
  const profiles = loadProfiles([
    shippedProfilesDir(),
    ...(config.profilesDir === undefined ? [] : [config.profilesDir]),
  ])
  const keyDerivation = new FleetKeyDerivation()
  await keyDerivation.start({ redis: redis.producer, clock, logger })
  const tokens = new Tokens({ config, clock, derivation: keyDerivation })
  const revocations = new Revocations({ heads, redis, clock, logger })
  // Secrets that were used for upload ids stay in the configuration: no name of a unique key is lost when they change.
  const personalHash = new PersonalHash(config.secrets.personalHash)
  const laneJobs = new LaneJobs({ queues, heads, redis: redis.producer, clock })
  const assemblies = new AssemblyLeases(redis.hot)
  const completion = new Completion({ store, hot, uploads, heads, laneJobs, assemblies, clock, tracing, logger })
  const leases = new LaneLeases(uploads, clock, processName)
  const peers = new Peers(redis.hot, redis.subscriber, logger, overrides.holderSilenceMs)
  const { expiryMs } = config.uploads
  const locks = new UploadLocks({ hot, uploads, completion, peers, store: uploadStore, metrics, clock, expiryMs })
  const ledgerParts = { hot, uploads, completion, clock, expiryMs }
  const credentialGuard = new CredentialGuard({ redis: redis.producer, config, securityLog, logger })
  const auth = new Auth({ config, tokens, credentialGuard, revocations })
  const formerVersionRuns = () => !keyDerivation.active
  const uniqueKeys = new UniqueKeys({ store, heads, personalHash, clock, logger, formerVersionRuns })
  const outages = createOutages({ config, store, credentialGuard, logger })
  const attempts = new Attempts({ redis: redis.hot, store, heads, clock, logger, knownOutages: outages.knownOutages })
  const receiptKeys = new ReceiptKeys({ config, store })
  const receipts = new Receipts({ receiptKeys, clock })
  const rates = new RateLimiter({ redis: redis.producer, config, personalHash, metrics, logger })
  const live = new LiveEvents(redis.subscriber, logger)
  const eventLog = new EventLog(index.completeness)
  const progressWatch = new ProgressWatch({ redis: redis.hot, hot, index, logger })
  /** Aborted when this process starts to shut down. */
  const drain = new AbortController()
  const { lateLoopMs = LATE_LOOP_MS } = overrides
  const admission = new Admission({ store, metrics, clock, redis: redis.hot, expiryMs, lateLoopMs })
  const personLimits = new PersonLimits({ redis: redis.hot, personalHash, config })
  const expire = (id: string) =>
    expireUpload({ hot, locks, uploads, uploadStore, completion, clock, metrics, logger }, id)
  const sameContent = new SameContent({ store, uploads })
  const erasure = new Erasure({
    store,
    hot,
    uploads,
    heads,
    views,
    index,
    queues,
    attempts,
    sameContent,
    uniqueKeys,
    webhooks: config.webhooks,
    search: new FindIndex(redis.producer),
    securityLog,
    clock,
    logger,
  })
  const settleSubmissions = () =>
    settleDueSubmissions({ store, hot, uploads, heads, views, index, profiles, clock, logger, erasure })
  const reconciler = new Reconciler({
    hot,
    uploads,
    completion,
    queues,
    laneJobs,
    metrics,
    clock,
    logger,
    expiryMs,
    expire,
    settleSubmissions,
    continueErasure: (record) => erasure.continueUpload(record),
  })
  const deadlineWork = new DeadlineWork({
    store,
    hot,
    uploads,
    heads,
    views,
    index,
    profiles,
    clock,
    logger,
    metrics,
    isClockSure: () => clock !== redisWatch.clock || redisWatch.isMeasured,
  })
  const deliveries = new Deliveries(store)
  const outbox = { heads, queues, logger, webhooks: config.webhooks, redis: redis.hot, deliveries }
  const rebuilder = new Rebuilder({
    store,
    index,
    uploads,
    heads,
    reconciler,
    clock,
    logger,
    openStreams: (token) => new StreamRestore(redis.hot, token),
    requeueWebhooks: (owner) => requeueWebhooks(outbox, owner, clock.now(), overrides.webhookDelayMs ?? DELIVERY_MS),
  })

  return {
    config,
    clock,
    logger,
    metrics,
    tracing,
    redis,
    runId,
    redisWatch,
    securityLog,
    credentialGuard,
    store,
    index,
    hot,
    uploads,
    heads,
    views,
    queues,
    laneJobs,
    profiles,
    tokens,
    keyDerivation,
    revocations,
    auth,
    sameContent,
    uniqueKeys,
    personalHash,
    erasure,
    completion,
    leases,
    peers,
    locks,
    ledgerParts,
    uploadStore,
    budget,
    socketReading: new SocketReading(config.uploads.readBelowHttp, logger),
    spool,
    admission,
    reconciler,
    deadlineWork,
    live,
    eventLog,
    progressWatch,
    drain,
    attempts,
    receipts,
    receiptKeys,
    ...outages,
    presentState: new PresentStateWatch({ admission, redis, store, queues, clock, securityLog }),
    rates,
    personLimits,
    deliveries,
    rebuilder,
    /** Closes everything in order. */
    async close(): Promise<void> {
      admission.close()
      redisWatch.stop()
      keyDerivation.stop()
      revocations.close()
      await live.close()
      await queues.close()
      await store.close()
      await tracing.close()
      for (const connection of Object.values(redis)) connection.disconnect()
    },
  }
}
