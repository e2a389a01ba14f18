// Entry of a process that runs a single job whose earlier runs killed two workers. It has half of a worker's heap and
// threads, is the first one that the kernel kills when memory is short, and ends with the worker that started it. Media
// tools keep their limits: the file may have met others' deaths only, and with less of a tool it could be rejected.

import { writeFile } from 'node:fs/promises'
import type { Job } from 'bullmq'
import { loadWorkerConfig } from '../src/core/config.ts'
import { createLogger } from '../src/core/logger.ts'
import { exitOnStartError } from '../src/core/start-error.ts'
import { createDeps } from '../src/deps.ts'
import type { UploadJob } from '../src/jobs/contract.ts'
import { createWorkerContext } from './create-worker-context.ts'
import { inspectWork } from './lanes/inspect.ts'
import { JobReleased, SHUTDOWN } from './lanes/job-released.ts'
import type { AloneJob, AloneResult } from './lanes/run-alone.ts'
import { type LaneWork, runOnce } from './lanes/run-lane.ts'
import { transcodeWork } from './lanes/transcode.ts'
import { validateWork } from './lanes/validate.ts'
import { watchLoop } from './loop-watch.ts'
import type { WorkerContext } from './worker-context.ts'

/** The most that can be asked of the kernel: this one first. */
const FIRST_TO_GO = '1000'
/** In which an orphan gives its job back. */
const ORPHANED_MS = 10_000
/** Half of what a worker has; here nobody else has to wait. */
const LOOP_LIMIT_MS = 60_000

const WORK = { validate: validateWork, inspect: inspectWork, transcode: transcodeWork } satisfies Record<
  AloneJob['lane'],
  (deps: WorkerContext) => LaneWork
>

async function main(): Promise<void> {
  const closing = new AbortController()
  // Without its worker nobody would end it. It gives the job back: the worker's death is not of this file's doing.
  const orphaned = () => {
    closing.abort(SHUTDOWN)
    setTimeout(() => process.exit(1), ORPHANED_MS)
  }
  process.once('disconnect', orphaned)
  // It may have gone while the modules were loaded.
  if (!process.connected) orphaned()
  // Told twice where all processes are told: the second time must not end it at once.
  process.on('SIGTERM', () => closing.abort(SHUTDOWN))
  // Not everywhere may a process ask to be ended first.
  await writeFile('/proc/self/oom_score_adj', FIRST_TO_GO).catch(() => undefined)
  await watchLoop(LOOP_LIMIT_MS)
  const given = JSON.parse(process.argv[2] ?? '') as AloneJob
  const { lane, id, uploadId, generation, attemptsMade, stalledCounter, attempts, trace } = given
  const config = loadWorkerConfig()
  const logger = createLogger({ name: 'songngan-worker', level: config.logLevel })
  const whole = await createWorkerContext(await createDeps(config, logger, { name: 'songngan-worker' }))
  const deps = {
    ...whole,
    threads: Math.max(1, Math.floor(whole.threads / 2)),
  }
  const job = {
    id,
    data: { uploadId, generation },
    attemptsMade,
    stalledCounter,
    opts: { attempts },
  } as unknown as Job<UploadJob>
  const result = await runOnce(deps, WORK[lane](deps), job, closing.signal, { alone: true, trace })
    .then((outcome): AloneResult => ({ outcome }))
    .catch(
      (error: Error): AloneResult =>
        error instanceof JobReleased
          ? { released: error.pauseMs }
          : { error: error.message, isFinal: error.name === 'UnrecoverableError' },
    )
  await new Promise<void>((resolve) => {
    process.send?.(result, () => resolve())
  })
  await deps.close()
  process.exit(0)
}

main().catch(exitOnStartError)
