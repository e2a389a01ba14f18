// Records, index and streams over a private Redis and a directory of their own, as a service has them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { systemClock } from '../../../src/core/clock.ts'
import { newUploadId } from '../../../src/core/ids.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis, type RedisConnection, type RedisRole, RunId } from '../../../src/core/redis.ts'
import { useHttpErrors } from '../../../src/http/errors.ts'
import { receivingRecord } from '../../../src/lifecycle/transitions.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import { RecordIndex } from '../../../src/records/record-index.ts'
import type { SubmissionHead } from '../../../src/records/submission-head.ts'
import { SubmissionHeads } from '../../../src/records/submission-heads.ts'
import type { NextUpload, UploadRecord, UploadState } from '../../../src/records/upload-record.ts'
import { UploadRecords } from '../../../src/records/upload-records.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { UploadSessionStore } from '../../../src/records/upload-session-store.ts'
import { UploadViews } from '../../../src/records/upload-views.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import { type Details, noted, reached } from '../../support/records.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

export const SECRETS = ['a secret of this test that is long enough'] as const
export const OWNER = 'portal'

export type House = Awaited<ReturnType<typeof buildHouse>>

/** Everything over one Redis; `close` ends it all. `appendOnly`: Redis keeps its data over a restart. */
export async function buildHouse(options: { appendOnly?: boolean } = {}) {
  const redisServer: TestRedis = await startRedis(options)
  const dataDir = await mkdtemp(join(tmpdir(), 'songngan-house-'))
  const logger = createLogger({ name: 'test', level: 'silent' })
  const connections: RedisConnection[] = []
  const connect = (role: RedisRole) => {
    const connection = connectRedis(redisServer.url, role, logger)
    connections.push(connection)
    return connection
  }
  const redis = connect('hot')
  const clock = systemClock
  const runId = new RunId(redis, logger)
  await redis.ping()
  await redis.mset(redisKeys.whole, runId.current, redisKeys.wholeEvents, runId.current)
  const store = new LocalObjectStore(dataDir)
  const index = new RecordIndex(redis, runId, clock)
  const uploads = new UploadRecords({ store, index, clock, logger })
  const heads = new SubmissionHeads({ store, index, uploads, clock, logger })
  const hot = new UploadSessionStore(redis, runId, clock)
  const views = new UploadViews({ redis, records: uploads, heads, index, hot })

  const putSubmission = async (id: string, change: Partial<SubmissionHead> = {}, owner = OWNER) => {
    const now = new Date().toISOString()
    const { record } = await heads.commit(owner, id, (current) => ({
      ...(current ?? {
        schema: 1,
        owner,
        id,
        profile: 'teacher.K1@1',
        opensAt: null,
        deadline: null,
        graceSeconds: 0,
        uniqueKey: null,
        callbackUrl: null,
        metadata: {},
        slotMetadata: {},
        state: 'open',
        revision: 1,
        revisions: [],
        sequence: 0,
        event: null,
        createdAt: now,
      }),
      updatedAt: now,
      ...change,
    }))
    if (record === undefined) throw new Error('a submission is always committed')
    return record
  }

  const draftOf = (submissionId: string | null, owner = OWNER): UploadDraft => ({
    id: newUploadId(owner, submissionId, SECRETS),
    owner,
    submissionId,
    slot: 'teaching-1',
    revision: 1,
    subject: null,
    replaces: null,
    declared: { filename: 'การสอน ป.4.mp4', type: 'video/mp4', bytes: 100 },
    metadata: {},
    fingerprint: null,
    concat: null,
    createdAt: new Date().toISOString(),
    maxBytes: 1000,
    kinds: [],
  })

  const commit = async (
    id: string,
    decide: (current: UploadRecord, sequence: number) => NextUpload,
  ): Promise<UploadRecord> => {
    const { record } = await uploads.commit(id, async (current) => {
      if (current === undefined) throw new Error(`no record of ${id}`)
      const sequence = current.submissionId === null ? 0 : await heads.nextSequence(current.owner, current.submissionId)
      return decide(current, sequence)
    })
    if (record === undefined) throw new Error('an upload is always committed')
    return record
  }

  /** The next version, in a later state of the upload's life. */
  const reach = (id: string, state: UploadState, details: Details = {}): Promise<UploadRecord> =>
    commit(id, (current, sequence) => reached(current, state, { sequence, ...details }))

  /** The next version in the same state. */
  const note = (id: string, change: Parameters<typeof noted>[1]): Promise<UploadRecord> =>
    commit(id, (current, sequence) => noted(current, { sequence, ...change }))

  /** An upload with a first record, and so the event `upload.created`. */
  const putUpload = async (submissionId: string) => {
    const draft = draftOf(submissionId)
    const sequence = await heads.nextSequence(OWNER, submissionId)
    const { record } = await uploads.commit(draft.id, () =>
      receivingRecord(draft, { key: objectKeys.data(draft.id) }, sequence),
    )
    if (record === undefined) throw new Error('an upload is always committed')
    return record
  }

  return {
    redisServer,
    dataDir,
    logger,
    redis,
    clock,
    runId,
    store,
    index,
    uploads,
    heads,
    hot,
    views,
    connect,
    putSubmission,
    putUpload,
    commit,
    reach,
    note,
    draftOf,
    async close() {
      for (const connection of connections) connection.disconnect()
      await redisServer.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A Fastify with the service's rendering of errors. */
export function appWithProblems(): FastifyInstance {
  const app = Fastify({ exposeHeadRoutes: false })
  useHttpErrors(app)
  return app
}

/** Starts listening on a free port and gives the origin. */
export async function listen(app: FastifyInstance): Promise<string> {
  return await app.listen({ host: '127.0.0.1', port: 0 })
}
