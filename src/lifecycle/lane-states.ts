// Changes of the state of one lane: started, released, failed, re-queued, done. Used only by transitions.ts.

import { isoTime } from '../core/clock.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'

const NEW: LaneState = { generation: 1, attempts: 0 }

/** `holderLives`: the worker of a lease that remains is seen to live. */
export type StartedRun = { generation: number; claim: NonNullable<LaneState['claim']>; holderLives?: boolean }

type Deaths = Pick<LaneState, 'deaths' | 'jointDeaths'>

/** A remaining lease belongs to a run whose worker died: it counts as a death, unless that worker is seen to live. */
function deathsOf({ deaths, jointDeaths, claim }: LaneState, holderLives: boolean): Deaths {
  const before = {
    ...(deaths === undefined ? {} : { deaths }),
    ...(jointDeaths === undefined ? {} : { jointDeaths }),
  }
  if (claim === undefined || holderLives) return before
  return claim.alone ? { ...before, jointDeaths: (jointDeaths ?? 0) + 1 } : { ...before, deaths: (deaths ?? 0) + 1 }
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

/** How a run without a result counts. `untried`: as no attempt; `died`: as a death of its worker. */
export type RunEnd = { untried?: boolean; died?: boolean }

export function releasedLane({ claim: _, ...state }: LaneState = NEW, end: RunEnd = {}): LaneState {
  const attempts = end.untried ? Math.max(0, state.attempts - 1) : state.attempts
  return { ...state, attempts, ...(end.died ? { deaths: (state.deaths ?? 0) + 1 } : {}) }
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

/** `afresh`: what came before does not count; `holderLives`: as in StartedRun. */
export type Requeue = { afresh: boolean; holderLives?: boolean }

/**
 * Due, with the next generation: the queue already knows the job id of this one.
 *
 * @param state undefined: the lane was never due
 */
export function queuedLane(state: LaneState | undefined, { afresh, holderLives = false }: Requeue): LaneState {
  if (state === undefined) return NEW
  const generation = state.generation + 1
  if (afresh) return { generation, attempts: 0 }
  const repeat = state.repeat === true ? { repeat: state.repeat } : {}
  return { generation, attempts: state.attempts, ...deathsOf(state, holderLives), ...repeat }
}

export function endedLane(state: LaneState = NEW, atMs: number): LaneState {
  const { claim: _, lastError: __, failedAt: ___, final: ____, deaths: _____, jointDeaths: ______, ...rest } = state
  return { ...rest, doneAt: isoTime(atMs) }
}
