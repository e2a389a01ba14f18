// Runs the real lanes in this process with its own Redis and a directory: each file goes through validate, inspect
// and transcode as in a worker, but alone and without a second attempt.

import { link, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Job } from 'bullmq'
import { systemClock } from '../../src/core/clock.ts'
import { loadConfig } from '../../src/core/config.ts'
import { newUploadId } from '../../src/core/ids.ts'
import { createLogger } from '../../src/core/logger.ts'
import { createDeps } from '../../src/deps.ts'
import type { UploadJob } from '../../src/jobs/contract.ts'
import { objectKeys } from '../../src/records/keys.ts'
import { isAccepted, type UploadRecord } from '../../src/records/upload-record.ts'
import { LocalObjectStore } from '../../src/storage/local.ts'
import { newHead } from '../../test/support/drafts.ts'
import { startRedis } from '../../test/support/redis.ts'
import { createWorkerContext } from '../../workers/create-worker-context.ts'
import { createInspect } from '../../workers/lanes/inspect.ts'
import { createTranscode } from '../../workers/lanes/transcode.ts'
import { createValidate } from '../../workers/lanes/validate.ts'
import { createRunner } from '../../workers/media/run.ts'
import type { WorkerContext } from '../../workers/worker-context.ts'
import type { Place } from './model.ts'

const OWNER = 'corpus'
const SECRET = 'a-secret-of-this-run-long-enough-for-everything'

export type Handed = Place & { submissionId: string; path: string }
export type Through = { verdictOnly: boolean; unfenced: boolean; signal: AbortSignal }

export type Workshop = Awaited<ReturnType<typeof openWorkshop>>

export async function openWorkshop() {
  const redis = await startRedis()
  const dataDir = await mkdtemp(join(tmpdir(), 'songngan-corpus-'))
  const config = loadConfig({
    REDIS_URL: redis.url,
    DATA_DIR: dataDir,
    TICKET_SECRET: SECRET,
    API_KEYS: `${OWNER}:a secret of sixteen`,
    TRANSCODE_CONCURRENCY: '1',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
  })
  const deps = await createDeps(config, createLogger({ name: 'corpus', level: config.logLevel }), {
    clock: systemClock,
  })
  const { store } = deps
  if (!(store instanceof LocalObjectStore)) throw new Error('the corpus needs a local store')
  const fenced = await createWorkerContext(deps)
  const unfenced: WorkerContext = {
    ...fenced,
    runner: await createRunner({ isolation: 'none' }),
  }

  const latest = async (id: string): Promise<UploadRecord> => {
    const record = await deps.uploads.fromStore(id)
    if (record === undefined) throw new Error(`no record of ${id}`)
    return record
  }

  return {
    dataDir,
    isolation: fenced.runner.isolation,
    profiles: deps.profiles,
    latest,

    async submission(id: string, profile: string, plannedMinutes?: number): Promise<void> {
      const slotMetadata = plannedMinutes === undefined ? {} : { lesson_plan: { plannedMinutes } }
      await deps.heads.commit(OWNER, id, () => newHead(id, { owner: OWNER, profile, slotMetadata }))
    },

    /** Commits a record for a completely received file, with the name of the local file. */
    async hand({ submissionId, slot, path }: Handed): Promise<string> {
      const id = newUploadId(OWNER, submissionId, [SECRET])
      const key = objectKeys.data(id)
      const { size } = await stat(path)
      await mkdir(dirname(store.path(key)), { recursive: true })
      // A link, not a copy: files at the limit of ten gibibytes are sparse.
      await link(path, store.path(key))
      const draft = {
        id,
        owner: OWNER,
        submissionId,
        slot,
        revision: 1,
        subject: null,
        replaces: null,
        declared: { filename: basename(path), type: null, bytes: size },
        metadata: {},
        fingerprint: null,
        concat: null,
        createdAt: new Date().toISOString(),
        maxBytes: size,
        kinds: [],
      }
      await deps.completion.commitStored(draft, { key }, size, systemClock.now())
      return id
    },

    /** Runs the lanes that are due, one after the other, without retries. */
    async through(id: string, { verdictOnly, unfenced: open, signal }: Through): Promise<UploadRecord> {
      const deps = open ? unfenced : fenced
      const job = {
        id: 'job',
        data: { uploadId: id, generation: 1 },
        attemptsMade: 0,
        stalledCounter: 0,
        opts: { attempts: 1 },
      }
      const run = async (lane: ReturnType<typeof createValidate>): Promise<void> => {
        // The error is in the record then, as readers see it.
        await lane(job as Job<UploadJob>, undefined, signal).catch(() => undefined)
      }
      await run(createValidate(deps))
      if (!verdictOnly && isAccepted((await latest(id)).state)) {
        await run(createInspect(deps))
        if (isAccepted((await latest(id)).state)) await run(createTranscode(deps))
      }
      return await latest(id)
    },

    /** Path of a published object. */
    pathOf: (key: string): string => store.path(key),

    /** Deletes a submission's media, so that the disk needs space for one row only. */
    clear: (ids: readonly string[]) => Promise.all(ids.map((id) => store.removeAll(objectKeys.upload(id)))),

    async close(): Promise<void> {
      await deps.close()
      await redis.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
