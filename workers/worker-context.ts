// The context of a worker's lanes: dependencies, tools and scratch space.

import type { Deps } from '../src/deps.ts'
import type { FenceReport } from './media/fence-proof.ts'
import type { Runner } from './media/run.ts'
import type { ScratchRoom } from './media/scratch.ts'

export type WorkerContext = Deps & {
  runner: Runner
  room: ScratchRoom
  /** Absent where no lane of this worker opens files. */
  fence?: FenceReport
  /** For one media tool; cores divided by the transcodes that run beside each other. */
  threads: number
}
