// Lanes that start no jobs while the scratch disk has too little space.

import type { Lane } from '../../src/jobs/contract.ts'
import type { RoomState } from '../media/scratch.ts'

const RESTING: Record<RoomState, readonly Lane[]> = {
  enough: [],
  // A verdict needs very little space, and people wait for it.
  little: ['inspect', 'transcode'],
  none: ['validate', 'inspect', 'transcode'],
}

export function restingLanes(state: RoomState): readonly Lane[] {
  return RESTING[state]
}
