// The tools and the scratch space of the lanes. Missing tools are reported at start in one line.

import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { StartError } from '../src/core/start-error.ts'
import type { Deps } from '../src/deps.ts'
import type { Lane } from '../src/jobs/contract.ts'
import { FULL_DISK_BYTES } from '../src/ops/health.ts'
import { FenceError, proveFence } from './media/fence-proof.ts'
import { createRunner } from './media/run.ts'
import { findTool } from './media/sandbox.ts'
import { createScratchRoom } from './media/scratch.ts'
import type { WorkerContext } from './worker-context.ts'

const TOOL_PATH = '/usr/local/bin:/usr/bin:/bin'
const PACKAGES: Record<string, string> = {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  qpdf: 'qpdf',
  pdfinfo: 'poppler-utils',
  pdftoppm: 'poppler-utils',
  pdftotext: 'poppler-utils',
  perl: 'perl-base',
}
const MEDIA_LANES: readonly Lane[] = ['validate', 'inspect', 'transcode']
/** Space kept free on the disk, which uploads may share. */
const MARGIN_BYTES = 512 * 1024 * 1024
/** Time between SIGTERM and SIGKILL for a tool; much shorter than the time a worker has to close. */
const KILL_GRACE_MS = 3000

/** Throws StartError if a tool of this worker's lanes is missing, or if isolation does not hold. */
export async function createWorkerContext(deps: Deps): Promise<WorkerContext> {
  const { config } = deps
  const opensFiles = MEDIA_LANES.some((lane) => config.workers.lanes.includes(lane))
  if (opensFiles) await requireTools()
  const dataDir = resolve(config.storage.dataDir)
  const room = createScratchRoom({
    root: join(dataDir, 'scratch'),
    marginBytes: MARGIN_BYTES,
    fullBytes: FULL_DISK_BYTES,
  })
  const { isolation } = config.workers
  const runner = await createRunner({ path: TOOL_PATH, killGraceMs: KILL_GRACE_MS, isolation })
  const fence = opensFiles ? await proveFence(runner, room, dataDir).catch(refuse) : undefined
  if (fence !== undefined) deps.metrics.mediaToolsFenced.set({ isolation }, isolation === 'none' ? 0 : 1)
  return {
    ...deps,
    runner,
    room,
    ...(fence === undefined ? {} : { fence }),
    threads: Math.max(1, Math.floor(availableParallelism() / config.workers.transcodeConcurrency)),
  }
}

function refuse(error: unknown): never {
  if (!(error instanceof FenceError)) throw error
  throw new StartError(
    `The worker cannot fence its media tools in (${error.message}): see "The fence around media tools" in docs/operations.md, or set MEDIA_ISOLATION=none`,
  )
}

async function requireTools(): Promise<void> {
  const missing: string[] = []
  for (const tool of Object.keys(PACKAGES)) if ((await findTool(tool, TOOL_PATH)) === null) missing.push(tool)
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((tool) => PACKAGES[tool]))].join(' ')
  throw new StartError(`The worker needs ${missing.join(', ')} in ${TOOL_PATH}: install ${packages}`)
}
