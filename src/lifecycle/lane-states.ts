// Changes of the state of one lane: started, released, failed, re-queued, done. Used only by transitions.ts.

import { isoTime } from '../core/clock.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'

const NEW: LaneState = { generation: 1, attempts: 0 }

/** `holderLives`: the worker of a lease that remains is seen to live. */
export type StartedRun = { generation: number; claim: NonNullable<LaneState['claim']>; holderLives?: boolean }

/** A remaining lease belongs to a run whose worker died: it counts as a death, unless that worker is seen to live. */
function deathsOf({ deaths = 0, claim }: LaneState, holderLives: boolean): { deaths?: number } {
  const all = deaths + (claim === undefined || holderLives ? 0 : 1)
  return all === 0 ? {} : { deaths: all }
}

export function withLane(
  { lanes }: Pick<UploadRecord, 'lanes'>,
  lane: LaneName,
  state: LaneState,
): UploadRecord['lanes'] {
  return { ...lanes, [lane]: state }
}

export function startedLane(state: LaneState = NEW, run: StartedRun): LaneState {
  const { failedAt: _, final: __, doneAt: ___, ...rest } = state
  const { generation, claim, holderLives = false } = run
  return { ...rest, ...deathsOf(state, holderLives), generation, claim, attempts: state.attempts + 1 }
}

/** A run that has ended as if its worker had died. */
export function diedLane(state: LaneState = NEW): LaneState {
  return { ...releasedLane(state), deaths: (state.deaths ?? 0) + 1 }
}

export function releasedLane({ claim: _, ...state }: LaneState = NEW): LaneState {
  return state
}

/** Ends the leases of an upload that no longer counts. */
export function releasedLanes(lanes: UploadRecord['lanes']): UploadRecord['lanes'] {
  const released = Object.entries(lanes).map(([lane, state]) => [lane, releasedLane(state)] as const)
  return Object.fromEntries(released)
}

export function failedLane(
  state: LaneState = NEW,
  { message, final, at }: { message: string; final: boolean; at: string },
): LaneState {
  return { ...releasedLane(state), failedAt: at, lastError: message, ...(final ? { final: true } : {}) }
}

/**
 * Due, with the next generation: the queue already knows the job id of this one.
 *
 * @param state undefined: the lane was never due
 */
export function queuedLane(
  state: LaneState | undefined,
  { afresh, holderLives = false }: { afresh: boolean; holderLives?: boolean },
): LaneState {
  if (state === undefined) return NEW
  const generation = state.generation + 1
  if (afresh) return { generation, attempts: 0 }
  const repeat = state.repeat === true ? { repeat: state.repeat } : {}
  return { generation, attempts: state.attempts, ...deathsOf(state, holderLives), ...repeat }
}

export function endedLane(state: LaneState = NEW, atMs: number): LaneState {
  const { claim: _, lastError: __, failedAt: ___, final: ____, deaths: _____, ...rest } = state
  return { ...rest, doneAt: isoTime(atMs) }
}
