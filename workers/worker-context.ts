// What a worker's lanes work with: the parts of the house, the tools, and room to work in.

import type { Deps } from '../src/deps.ts'
import type { Runner } from './media/run.ts'
import type { ScratchRoom } from './media/scratch.ts'

export type WorkerContext = Deps & {
  runner: Runner
  room: ScratchRoom
  /** For one media tool; cores divided by the transcodes that run beside each other. */
  threads: number
}
