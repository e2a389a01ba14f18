// The context of a worker's lanes: dependencies, tools and scratch space.

import type { Deps } from '../src/deps.ts'
import type { FenceReport } from './media/fence-proof.ts'
import type { Runner } from './media/run.ts'
import type { ScratchRoom } from './media/scratch.ts'

export type WorkerContext = Deps & {
  runner: Runner
  room: ScratchRoom
  /** Absent if no lane of this worker opens files. */
  fence?: FenceReport
  /** Threads of one media tool: cores divided by the number of concurrent transcodes. */
  threads: number
}
