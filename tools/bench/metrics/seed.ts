// Seeds unfinished uploads in bulk, in the state after their first stored part: a record in the object store and an
// upload session in Redis. Without fsync, which would take most of the time.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isoTime, systemClock } from '../../../src/core/clock.ts'
import { newToken, newUploadId } from '../../../src/core/ids.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis } from '../../../src/core/redis.ts'
import { RunId } from '../../../src/core/run-id.ts'
import { receivingRecord } from '../../../src/lifecycle/transitions.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import { RecordIndex } from '../../../src/records/record-index.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { UploadSessionStore } from '../../../src/records/upload-session-store.ts'
import { versionKey } from '../../../src/records/version-log.ts'
import { waitFor } from '../../../test/support/http.ts'
import { TICKET_SECRET } from '../servers/songngan.ts'

const BATCH = 256
const UPLOAD_BYTES = 64 * 1024 ** 2
const STORED_BYTES = 1024 ** 2
const DAY_MS = 86_400_000

export type Seeder = {
  /** Seeds this many more; resolves with the ids of some of them, spread over all. */
  add(count: number): Promise<string[]>
  close(): void
}

/** Only for AUTH=none, where an upload belongs to no submission. */
export async function createSeeder(redisUrl: string, dataDir: string): Promise<Seeder> {
  const logger = createLogger({ name: 'bench', level: 'fatal' })
  const redis = connectRedis(redisUrl, 'hot', logger)
  const runId = new RunId(redis, logger)
  await waitFor(() => runId.current !== '', { what: 'Redis to tell its run id' })
  const hot = new UploadSessionStore(redis, runId, systemClock)
  const index = new RecordIndex(redis, runId, systemClock)
  return {
    async add(count) {
      const sample: string[] = []
      for (let done = 0; done < count; done += BATCH) {
        const size = Math.min(BATCH, count - done)
        const ids = await Promise.all(Array.from({ length: size }, () => seed(hot, index, dataDir)))
        sample.push(...ids.slice(0, 4))
      }
      return sample
    },
    close: () => redis.disconnect(),
  }
}

async function seed(hot: UploadSessionStore, index: RecordIndex, dataDir: string): Promise<string> {
  const draft = newDraft()
  const { id } = draft
  const key = objectKeys.data(id)
  const record = {
    ...receivingRecord(draft, { key }, 0),
    version: 1,
    nonce: newToken(),
    committedAt: draft.createdAt,
  }
  const json = JSON.stringify(record)
  const path = join(dataDir, versionKey(objectKeys.uploadRecord(id), 1))
  await mkdir(dirname(path), { recursive: true })
  const expiresAtMs = Date.now() + DAY_MS
  await Promise.all([
    writeFile(path, json),
    hot.restore(
      {
        draft,
        size: UPLOAD_BYTES,
        offset: STORED_BYTES,
        status: 'receiving',
        version: 1,
        expiresAtMs,
        storedAtMs: null,
        multipartId: null,
        partBytes: 0,
        tailKey: null,
      },
      [],
      null,
    ),
    index.apply({
      cacheKey: redisKeys.record(id),
      version: 1,
      json,
      owner: draft.owner,
      submissionId: null,
      upload: { id, createdAtMs: Date.now(), dueAtMs: expiresAtMs },
      event: null,
      announce: false,
    }),
  ])
  return id
}

function newDraft(): UploadDraft {
  const owner = 'anonymous'
  return {
    id: newUploadId(owner, null, [TICKET_SECRET]),
    owner,
    submissionId: null,
    slot: null,
    revision: 0,
    subject: null,
    replaces: null,
    declared: { filename: 'bench.mp4', type: 'video/mp4', bytes: UPLOAD_BYTES },
    metadata: { filename: 'bench.mp4', filetype: 'video/mp4' },
    fingerprint: null,
    concat: null,
    kinds: [],
    createdAt: isoTime(Date.now()),
    maxBytes: UPLOAD_BYTES,
  }
}
