// A worker's surroundings in an environment: files whose bytes lie where the service would have put them, and its lanes.

import { copyFile, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Job } from 'bullmq'
import { objectKeys } from '../../src/records/keys.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { UploadDraft } from '../../src/records/upload-session.ts'
import { LocalObjectStore } from '../../src/storage/local.ts'
import { type LaneWork, uploadLane } from '../../workers/lanes/run-lane.ts'
import { type RunningWorkers, startWorkers, type Timing } from '../../workers/registry.ts'
import type { WorkerContext } from '../../workers/worker-context.ts'
import { draftFor } from './drafts.ts'
import { waitFor } from './http.ts'

/** Jobs of a worker that died are handed out again within a second or two. */
export const QUICK: Timing = { lockMs: 2000, stalledCheckMs: 1000 }

/** Lanes that open files: what most tests of workers run. */
export const MEDIA_LANES = 'validate,inspect,transcode'

export function workerRuns(deps: WorkerContext) {
  let running: RunningWorkers | undefined

  const latest = async (id: string): Promise<UploadRecord> => {
    const record = await deps.uploads.fromStore(id)
    if (record === undefined) throw new Error(`no record of ${id}`)
    return record
  }

  return {
    /** The upload's record as the store has it. */
    latest,

    /** Waits until the upload's record is as asked for. */
    async until(id: string, is: (record: UploadRecord) => boolean): Promise<UploadRecord> {
      await waitFor(async () => is(await latest(id)), { what: `upload ${id}` }).catch(async (error: Error) => {
        throw new Error(`${error.message}\n${JSON.stringify(await latest(id), null, 1)}`)
      })
      return await latest(id)
    },

    /** With the timing of production, unless QUICK is given. */
    async start(...timing: [Timing?]): Promise<RunningWorkers> {
      running = await startWorkers(deps, ...timing)
      return running
    },

    async stop(): Promise<void> {
      await running?.close(0)
      running = undefined
    },

    /** All bytes of a file have arrived; the verdict is due, and queued unless `queue` is false. */
    async upload(
      path: string,
      place: Partial<UploadDraft> & { queue?: boolean; submissionId: string | null },
    ): Promise<string> {
      const { queue = true, submissionId, ...change } = place
      const { size } = await stat(path)
      const declared = { filename: 'การสอน ป.4.mp4', type: null, bytes: size }
      const draft = draftFor(submissionId, { slot: 'clip', declared, maxBytes: 1e9, ...change })
      const key = objectKeys.data(draft.id)
      await putObject(deps.store, key, path)
      await deps.completion.commitStored(draft, { key }, size, deps.clock.now())
      if (queue) await deps.completion.run(draft.id)
      return draft.id
    },

    /** Runs a lane once in this process, as BullMQ would for this attempt. */
    async once(
      work: LaneWork,
      context: WorkerContext,
      id: string,
      attempt: { made?: number; of?: number; generation?: number } = {},
    ) {
      const { made = 0, of = 5, generation = 1 } = attempt
      const job = {
        id: work.lane,
        data: { uploadId: id, generation },
        attemptsMade: made,
        stalledCounter: 0,
        opts: { attempts: of },
      }
      return await uploadLane(context, work)(job as Job)
    },
  }
}

/** Where an object of the local store lies. */
export function localPath({ deps }: { deps: Pick<WorkerContext, 'store'> }, key: string | undefined): string {
  if (!(deps.store instanceof LocalObjectStore) || key === undefined) throw new Error('no local object')
  return deps.store.path(key)
}

async function putObject(store: WorkerContext['store'], key: string, path: string): Promise<void> {
  if (store instanceof LocalObjectStore) {
    await mkdir(dirname(store.path(key)), { recursive: true })
    await copyFile(path, store.path(key))
  } else {
    await store.createIfAbsent(key, await readFile(path))
  }
}
