// A worker's surroundings: the real parts over a private Redis and a directory (or a bucket), and uploads whose bytes lie
// where the service would have put them.

import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Job } from 'bullmq'
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import { loadConfig } from '../../../src/core/config.ts'
import { newUploadId } from '../../../src/core/ids.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { createDeps } from '../../../src/deps.ts'
import type { EventEnvelope } from '../../../src/records/event-body.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import type { SubmissionHead } from '../../../src/records/submission-head.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'
import { createWorkerContext } from '../../../workers/create-worker-context.ts'
import { type LaneWork, uploadLane } from '../../../workers/lanes/run-lane.ts'
import { type RunningWorkers, startWorkers, type Timing } from '../../../workers/registry.ts'
import type { WorkerContext } from '../../../workers/worker-context.ts'
import { waitFor } from '../../support/http.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { testProfile } from './profile.ts'

export const OWNER = 'portal'
const SECRET = 'a-secret-of-this-test-long-enough-for-everything'
/** Jobs of a worker that died are handed out again within a second or two. */
export const QUICK: Timing = { lockMs: 2000, stalledCheckMs: 1000 }

export type House = Awaited<ReturnType<typeof buildHouse>>

type HouseOptions = {
  /** STORAGE and S3_… where the bytes are to lie in a bucket. */
  env?: Record<string, string>
  lanes?: string
  change?: (profile: ProfileData) => void
  /** What the profile's second version changes; without it there is one version. */
  secondVersion?: (profile: ProfileData) => void
  clock?: Clock
}

export async function buildHouse(options: HouseOptions = {}) {
  const redis: TestRedis = await startRedis()
  const dataDir = await mkdtemp(join(tmpdir(), 'songngan-workers-'))
  const profilesDir = join(dataDir, 'profiles')
  await mkdir(profilesDir)
  const profile = testProfile()
  options.change?.(profile)
  await writeFile(join(profilesDir, 'test@1.json'), JSON.stringify(profile))
  if (options.secondVersion !== undefined) {
    const second = { ...structuredClone(profile), version: 2 }
    options.secondVersion(second)
    await writeFile(join(profilesDir, 'test@2.json'), JSON.stringify(second))
  }
  const env: Record<string, string> = {
    REDIS_URL: redis.url,
    DATA_DIR: dataDir,
    PROFILES_DIR: profilesDir,
    TICKET_SECRET: SECRET,
    API_KEYS: `${OWNER}:a secret of sixteen`,
    WORKER_LANES: options.lanes ?? 'validate,inspect,transcode',
    TRANSCODE_CONCURRENCY: '1',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
    ...options.env,
  }
  const config = loadConfig(env)
  const logger = createLogger({ name: 'test', level: config.logLevel })
  const clock = options.clock ?? systemClock
  const deps = await createWorkerContext(await createDeps(config, logger, { clock }))
  let running: RunningWorkers | undefined

  const latest = async (id: string): Promise<UploadRecord> => {
    const record = await deps.uploads.fromStore(id)
    if (record === undefined) throw new Error(`no record of ${id}`)
    return record
  }
  /** Waits until the upload's record is as asked for. */
  const until = async (id: string, is: (record: UploadRecord) => boolean): Promise<UploadRecord> => {
    await waitFor(async () => is(await latest(id)), { what: `upload ${id}` }).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${JSON.stringify(await latest(id), null, 1)}`)
    })
    return await latest(id)
  }
  return {
    redis,
    dataDir,
    env,
    config,
    deps,
    latest,
    until,

    start: async (timing: Timing = QUICK) => {
      running = await startWorkers(deps, timing)
      return running
    },

    /** The portal makes a submission. */
    async submission(id: string, change: Partial<SubmissionHead> = {}): Promise<SubmissionHead> {
      const now = new Date().toISOString()
      const { record } = await deps.heads.commit(OWNER, id, (current) => ({
        ...(current ?? {
          schema: 1 as const,
          owner: OWNER,
          id,
          profile: `${profile.id}@${profile.version}`,
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
    },

    /** All bytes of a file have arrived; the verdict is due, and queued unless `queue` is false. */
    async upload(
      path: string,
      place: Partial<UploadDraft> & { queue?: boolean; submissionId: string | null },
    ): Promise<string> {
      const { queue = true, ...draft } = place
      const { submissionId } = draft
      const id = newUploadId(OWNER, submissionId, [SECRET])
      const { size } = await stat(path)
      const key = objectKeys.data(id)
      await putObject(deps.store, key, path)
      const full = draftOf({ ...draft, id }, size)
      await deps.completion.commitStored(full, { key }, size, clock.now())
      if (queue) await deps.completion.run(id)
      return id
    },

    /** All events of a submission, in the order in which they were announced. */
    async events(submissionId: string): Promise<EventEnvelope['body'][]> {
      const entries = await deps.redis.hot.xrange(redisKeys.submissionEvents(OWNER, submissionId), '-', '+')
      return entries.map(([, fields]) => (JSON.parse(fields[1] ?? '') as EventEnvelope).body)
    },

    /** Runs a lane once in this process, as BullMQ would for this attempt. */
    async once(
      work: LaneWork,
      deps: WorkerContext,
      id: string,
      attempt: { made?: number; of?: number; generation?: number } = {},
    ) {
      const { made = 0, of = 5, generation = 1 } = attempt
      const job = {
        id: work.lane,
        data: { uploadId: id, generation },
        attemptsMade: made,
        opts: { attempts: of },
      }
      return await uploadLane(deps, work)(job as Job)
    },

    async close() {
      await running?.close(0)
      await deps.close()
      await redis.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** An upload to the slot `clip`, unless said otherwise. */
export function draftOf(
  draft: Partial<UploadDraft> & Pick<UploadDraft, 'id' | 'submissionId'>,
  bytes: number,
): UploadDraft {
  return {
    owner: OWNER,
    slot: 'clip',
    revision: 1,
    subject: null,
    replaces: null,
    declared: { filename: 'การสอน ป.4.mp4', type: null, bytes },
    metadata: {},
    fingerprint: null,
    concat: null,
    createdAt: new Date().toISOString(),
    maxBytes: 1e9,
    kinds: [],
    ...draft,
  }
}

/** Where an object of the local store lies. */
export function localPath({ deps }: House, key: string | undefined): string {
  if (!(deps.store instanceof LocalObjectStore) || key === undefined) throw new Error('no local object')
  return deps.store.path(key)
}

async function putObject(store: House['deps']['store'], key: string, path: string): Promise<void> {
  if (store instanceof LocalObjectStore) {
    await mkdir(dirname(store.path(key)), { recursive: true })
    await copyFile(path, store.path(key))
  } else {
    await store.createIfAbsent(key, await readFile(path))
  }
}
