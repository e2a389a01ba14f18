// The portal API over a real Redis and a directory, with a clock that the test moves, and uploads made by hand where the
// tus endpoint and the workers would make them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import { portalApi } from '../../../src/api/routes.ts'
import { RateLimiter } from '../../../src/auth/rate-limit.ts'
import { Tokens } from '../../../src/auth/tokens.ts'
import { isoTime } from '../../../src/core/clock.ts'
import { loadConfig } from '../../../src/core/config.ts'
import { newToken, newUploadId } from '../../../src/core/ids.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { createMetrics } from '../../../src/core/metrics.ts'
import { connectRedis, RunId } from '../../../src/core/redis.ts'
import { Attempts } from '../../../src/evidence/attempts.ts'
import { ReceiptKeys } from '../../../src/evidence/receipt-keys.ts'
import { Receipts } from '../../../src/evidence/receipts.ts'
import { errorHandler, useHttpErrors } from '../../../src/http/errors.ts'
import { Queues } from '../../../src/jobs/queues.ts'
import { LaneJobs } from '../../../src/lifecycle/lane-jobs.ts'
import { receivingRecord, storedRecord } from '../../../src/lifecycle/transitions.ts'
import type { EventBody, EventEnvelope } from '../../../src/records/event-body.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import { RecordIndex } from '../../../src/records/record-index.ts'
import { SubmissionHeads } from '../../../src/records/submission-heads.ts'
import type { Measured, NextUpload, UploadRecord } from '../../../src/records/upload-record.ts'
import { UploadRecords } from '../../../src/records/upload-records.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { UploadSessionStore } from '../../../src/records/upload-session-store.ts'
import { UploadViews } from '../../../src/records/upload-views.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import { refreshCompleteness } from '../../../src/submissions/completeness.ts'
import { loadProfiles, shippedProfilesDir } from '../../../src/submissions/profiles/loader.ts'
import { UniqueKeys } from '../../../src/submissions/unique-keys.ts'
import { reached } from '../../support/records.ts'
import { startRedis } from '../../support/redis.ts'
import { writeTestProfiles } from './profiles.ts'

export const PORTAL = 'portal-secret-0123456789'
export const OTHER = 'other-secret-0123456789'
/** Now, and no fixed date: Redis expires keys by its own clock, which a test cannot move. Whole seconds, as tokens count. */
export const START = Math.floor(Date.now() / 1000) * 1000

type Body = Record<string, unknown> & { code?: string; message?: { th: string; en: string } }
export type Answer = { status: number; headers: Record<string, unknown>; body: Body; text: string }
type CallOptions = { body?: unknown; token?: string | null; headers?: Record<string, string> }

export type Harness = Awaited<ReturnType<typeof startHarness>>

export async function startHarness(env: Record<string, string> = {}) {
  const server = await startRedis()
  const dir = await mkdtemp(join(tmpdir(), 'songngan-portal-'))
  const profilesDir = join(dir, 'profiles')
  await writeTestProfiles(profilesDir)
  const config = loadConfig({
    PROFILES_DIR: profilesDir,
    REDIS_URL: server.url,
    DATA_DIR: dir,
    API_KEYS: `portal:${PORTAL},other:${OTHER}`,
    TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
    PUBLIC_URL: 'https://songngan.example',
    ...env,
  })
  const clock = {
    ms: START,
    now: () => clock.ms,
  }
  const lines: string[] = []
  const logger = createLogger({ name: 'test', level: 'warn' }, { write: (line) => void lines.push(line) })
  const redis = connectRedis(server.url, 'hot', logger)
  const producer = connectRedis(server.url, 'producer', logger)
  const runId = new RunId(redis, logger)
  await Promise.all([redis.ping(), new Promise((resolve) => producer.once('ready', resolve))])
  await redis.mset(redisKeys.whole, runId.current, redisKeys.wholeEvents, runId.current)
  const store = new LocalObjectStore(dir)
  const index = new RecordIndex(redis, runId, clock)
  const hot = new UploadSessionStore(redis, runId, clock)
  const uploads = new UploadRecords({ store, index, clock, logger })
  const heads = new SubmissionHeads({ store, index, uploads, clock, logger })
  const views = new UploadViews({ redis, records: uploads, heads, index, hot })
  const queues = new Queues(producer, logger)
  const laneJobs = new LaneJobs({ queues, heads, redis: producer, clock })
  const profiles = loadProfiles([shippedProfilesDir(), profilesDir])
  const tokens = new Tokens({ config, clock })
  const uniqueKeys = new UniqueKeys({ store, heads, clock })
  const attempts = new Attempts({ redis, store, clock, logger })
  const receiptKeys = new ReceiptKeys({ config, store })
  const receipts = new Receipts({ receiptKeys, clock })
  const metrics = createMetrics({ processMetrics: false })
  const rates = new RateLimiter({ redis: producer, config, metrics, logger })
  const deps = {
    config,
    clock,
    logger,
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
    uniqueKeys,
    attempts,
    receiptKeys,
    receipts,
    rates,
    metrics,
  }
  const app = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: errorHandler,
  })
  useHttpErrors(app)
  await portalApi(app, deps)
  await app.ready()

  const call = async (method: string, url: string, options: CallOptions = {}): Promise<Answer> => {
    const { body, token = PORTAL, headers = {} } = options
    const response = await app.inject({
      method: method as 'GET',
      url,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    })
    const text = response.body
    const json = /json/.test(String(response.headers['content-type'])) && text !== ''
    return {
      status: response.statusCode,
      headers: response.headers,
      body: json ? (JSON.parse(text) as Body) : {},
      text,
    }
  }

  /** What a tus POST would register: an upload without a stored byte. */
  const beginUpload = async (submissionId: string, slot: string, more: Partial<UploadDraft> = {}) => {
    const owner = more.owner ?? 'portal'
    // Two of one millisecond would be in the order of their random ids.
    clock.ms += 1
    const draft: UploadDraft = {
      id: newUploadId(owner, submissionId, config.secrets),
      owner,
      submissionId,
      slot,
      revision: 1,
      subject: null,
      replaces: null,
      declared: { filename: 'แผนการสอน.pdf', type: 'application/pdf', bytes: 1000 },
      metadata: {},
      fingerprint: 'f1',
      concat: null,
      createdAt: isoTime(clock.ms),
      maxBytes: 10_000,
      kinds: [],
      ...more,
    }
    const expiresAtMs = clock.ms + config.uploads.expiryMs
    await hot.create(draft, { size: draft.declared.bytes, expiresAtMs, partBytes: 1 })
    return draft
  }

  /** What the first stored bytes leave behind. */
  const receiveBytes = async (draft: UploadDraft, bytes = 400) => {
    const object = { key: objectKeys.data(draft.id) }
    await store.createIfAbsent(object.key, Buffer.alloc(bytes, 7))
    const fence = newToken()
    await hot.acquire(draft.id, fence, 'test', { offset: 0 })
    const sequence = await heads.nextSequence(draft.owner, draft.submissionId ?? '')
    await uploads.commit(draft.id, () => receivingRecord(draft, object, sequence))
    await hot.saveProgress(draft.id, fence, {
      offset: bytes,
      expiresAtMs: clock.ms + config.uploads.expiryMs,
      version: 1,
    })
    await hot.release(draft.id, fence)
  }

  const commit = async (id: string, decide: (current: UploadRecord, sequence: number) => NextUpload) => {
    const { record } = await uploads.commit(id, async (current) => {
      if (current === undefined) throw new Error(`${id} has no record`)
      const sequence = await heads.nextSequence(current.owner, current.submissionId ?? '')
      return decide(current, sequence)
    })
    return record as UploadRecord
  }

  /** What the last byte leaves behind. */
  const storeUpload = async (draft: UploadDraft) => {
    await receiveBytes(draft, draft.declared.bytes ?? 1000)
    await commit(draft.id, (current, sequence) =>
      storedRecord(current, {
        object: current.object,
        bytes: draft.declared.bytes ?? 1000,
        storedAt: isoTime(clock.ms),
        late: false,
        sequence,
      }),
    )
    await hot.end(draft.id, 'stored', 60_000)
  }

  /** What a verdict leaves behind, with what follows from it for the submission. */
  const judgeUpload = async (
    id: string,
    verdict: 'accepted' | 'rejected',
    measured: Measured = { kind: 'pdf', container: 'pdf', pages: 3 },
  ) => {
    const record = await commit(id, (current, sequence) =>
      reached(current, verdict, { sequence, measured, atMs: clock.ms }),
    )
    await refreshCompleteness(deps, record.owner, record.submissionId ?? '')
    return record
  }

  const acceptedUpload = async (
    submissionId: string,
    slot: string,
    more: Partial<UploadDraft> & { measured?: Measured } = {},
  ) => {
    const { measured, ...draft } = more
    clock.ms += 1000
    const begun = await beginUpload(submissionId, slot, draft)
    await storeUpload(begun)
    await judgeUpload(begun.id, 'accepted', measured)
    return begun
  }

  /** PUT of a submission that is expected to work. */
  const put = async (id: string, body: Record<string, unknown> = {}, token = PORTAL) => {
    const answer = await call('PUT', `/v1/submissions/${id}`, { body: { profile: 'tiny@1', ...body }, token })
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`PUT ${id}: ${answer.text}`)
    return answer
  }

  /** A session's token. */
  const session = async (id: string, body: Record<string, unknown> = {}): Promise<string> => {
    const answer = await call('POST', `/v1/submissions/${id}/sessions`, { body })
    if (answer.status !== 201) throw new Error(`session for ${id}: ${answer.text}`)
    return String(answer.body['token'])
  }

  const events = async (owner = 'portal'): Promise<EventBody[]> => {
    const entries = await redis.xrange(redisKeys.events(owner), '-', '+')
    return entries.map(([, fields]) => (JSON.parse(fields[1] ?? '{}') as EventEnvelope).body)
  }

  return {
    app,
    call,
    put,
    session,
    clock,
    deps,
    redis,
    server,
    lines,
    dir,
    beginUpload,
    receiveBytes,
    storeUpload,
    judgeUpload,
    acceptedUpload,
    events,
    async stop() {
      await app.close()
      await queues.close()
      redis.disconnect()
      producer.disconnect()
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
