// A worker whose disk is full starts no jobs that would fail because of it: they wait, or run on another worker.

import type { Logger } from '../src/core/logger.ts'
import type { Lane } from '../src/jobs/contract.ts'
import type { LaneController } from './lane-controller.ts'
import { restingLanes } from './lanes/resting.ts'
import type { RoomState, ScratchRoom } from './media/scratch.ts'

const LOOK_MS = 2000

export type RoomWatchDeps = {
  room: Pick<ScratchRoom, 'state' | 'freeBytes'>
  controller: Pick<LaneController, 'hold'>
  config: { workers: { lanes: readonly Lane[] } }
  logger: Logger
}

/**
 * Checks every two seconds; resolves after the first check.
 *
 * @param tell called with the reason why this worker is not ready; undefined: there is space again
 * @returns a function that ends the watch
 */
export async function watchRoom(
  { room, controller, config, logger }: RoomWatchDeps,
  tell: (words: string | undefined) => void,
): Promise<() => void> {
  let before: RoomState = 'enough'
  const look = async () => {
    const state = await room.state()
    if (state === before) return
    const lanes = restingLanes(state).filter((lane) => config.workers.lanes.includes(lane))
    await controller.hold(lanes)
    before = state
    const freeBytes = await room.freeBytes()
    if (lanes.length > 0) logger.warn({ lanes, freeBytes }, 'no room for scratch files: these lanes take no jobs')
    else logger.info({ freeBytes }, 'room for scratch files again')
    tell(lanes.length === 0 ? undefined : `no room for scratch files: ${lanes.join(', ')} take no jobs`)
  }
  const tick = () => look().catch((err: unknown) => logger.warn({ err }, 'the scratch disk cannot be looked at'))
  await tick()
  const timer = setInterval(() => void tick(), LOOK_MS)
  return () => clearInterval(timer)
}
