// Records over a real Redis and both kinds of store, with a way to lose answers on their way back.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../../src/core/clock.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis, RunId } from '../../../src/core/redis.ts'
import type { EventEnvelope } from '../../../src/records/event-body.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { RecordIndex } from '../../../src/records/record-index.ts'
import type { SubmissionHead } from '../../../src/records/submission-head.ts'
import { SubmissionHeads } from '../../../src/records/submission-heads.ts'
import { UploadRecords } from '../../../src/records/upload-records.ts'
import { UploadSessionStore } from '../../../src/records/upload-session-store.ts'
import { UploadViews } from '../../../src/records/upload-views.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { overBothStores as overBoth } from '../../support/over-both-stores.ts'
import { type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { startRedis } from '../../support/redis.ts'
import { startS3, storeOver } from '../../support/s3.ts'
import { OWNER } from '../../unit/records/draft.ts'

export { draftFor, OWNER } from '../../unit/records/draft.ts'

export type TestStore = {
  store: ObjectStore
  /** In front of the bucket; undefined for a directory. */
  proxy: HttpProxy | undefined
  close(): Promise<void>
}

export function overBothStores(tests: (open: () => Promise<TestStore>, kind: 'local' | 's3') => void): void {
  overBoth((kind) => tests(kind === 's3' ? s3Store : localStore, kind))
}

export async function localStore(): Promise<TestStore> {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-records-'))
  return {
    store: new LocalObjectStore(dir),
    proxy: undefined,
    close: () => rm(dir, { recursive: true, force: true }),
  }
}

export async function s3Store(): Promise<TestStore> {
  const s3 = await startS3()
  const proxy = await startHttpProxy(s3.endpoint)
  const store = storeOver(s3, proxy.url)
  return {
    store,
    proxy,
    async close() {
      await store.close()
      await proxy.stop()
      await s3.stop()
    },
  }
}

export type House = Awaited<ReturnType<typeof openHouse>>

/** Everything of `records` over one store and a private Redis. */
export async function openHouse(store: ObjectStore, options: { clock?: Clock } = {}) {
  const server = await startRedis({ appendOnly: true })
  const clock = options.clock ?? { now: () => Date.now() }
  const logger = createLogger({ name: 'records', level: 'silent' })
  const redis = connectRedis(server.url, 'hot', logger)
  const runId = new RunId(redis, logger)
  await redis.ping()
  const index = new RecordIndex(redis, runId, clock)
  const uploads = new UploadRecords({ store, index, clock, logger })
  const heads = new SubmissionHeads({ store, index, uploads, clock, logger })
  const hot = new UploadSessionStore(redis, runId, clock)
  const views = new UploadViews({ redis, records: uploads, heads, index, hot })

  const submission = async (id: string, change: Partial<SubmissionHead> = {}): Promise<SubmissionHead> => {
    const now = new Date(clock.now()).toISOString()
    const { record } = await heads.commit(OWNER, id, (current) => ({
      ...(current ?? {
        schema: 1 as const,
        owner: OWNER,
        id,
        profile: 'any@1',
        opensAt: null,
        deadline: null,
        graceSeconds: 0,
        uniqueKey: null,
        callbackUrl: null,
        metadata: {},
        slotMetadata: {},
        state: 'open' as const,
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

  return {
    server,
    clock,
    redis,
    runId,
    index,
    uploads,
    heads,
    hot,
    views,
    store,
    submission,
    /** Events of a submission in the order in which readers see them. */
    async events(submissionId: string): Promise<EventEnvelope['body'][]> {
      const entries = await redis.xrange(redisKeys.submissionEvents(OWNER, submissionId), '-', '+')
      return entries.map(([, fields]) => (JSON.parse(fields[1] ?? '') as EventEnvelope).body)
    },
    async close() {
      redis.disconnect()
      await server.stop()
    },
  }
}
