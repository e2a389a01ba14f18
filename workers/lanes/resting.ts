// Which lanes take no jobs while the scratch disk is short.

import type { Lane } from '../../src/jobs/contract.ts'
import type { RoomState } from '../media/scratch.ts'

const RESTING: Record<RoomState, readonly Lane[]> = {
  enough: [],
  // A verdict needs next to nothing, and people wait for it.
  little: ['inspect', 'transcode'],
  none: ['validate', 'inspect', 'transcode'],
}

export function restingLanes(state: RoomState): readonly Lane[] {
  return RESTING[state]
}
