// Types of the chaos suite: what is handed in, the expected end, and the result of a row.

import type { FaultPoint } from '../../src/core/fault-points.ts'
import type { Role } from '../../test/support/service.ts'
import type { KillableProcess } from './stage/killable.ts'
import type { Stage } from './stage/stage.ts'

export type StoreKind = 'local' | 's3'

/** The state that an upload must reach, whatever fails. */
export type End = 'ready' | 'rejected' | 'cancelled' | 'expired' | 'erased'

export type HandedFile = { id: string; sha256: string; bytes: number; end: End }

/** One submission of a run. */
export type Hand = { submissionId: string; files: HandedFile[] }

/**
 * Called by a scenario. For a fault point: arms it, so that the process dies there (`who`: another process than the
 * stage's own). For any other trouble: counts that it happened once more.
 */
export type Arm = (who?: KillableProcess) => void

/** Uses the service as a client or a portal would, until everything is handed in. */
export type Drive = (stage: Stage, seed: string, arm: Arm) => Promise<Hand>

export type PointRow = {
  point: FaultPoint
  role: Role
  drive: Drive
  /** Absent: on both. */
  only?: StoreKind
  /** Which hit of the fault point kills the process; default the first. */
  nth?: number
}

/** Anything else that goes wrong around the service. */
export type TroubleRow = { name: string; what: string; drive: Drive; only?: StoreKind }

export type Result = {
  group: string
  name: string
  store: StoreKind
  /** Which process died, or what failed. */
  what: string
  hits: number
  /** Sequence numbers without a version or event: reserved by a process that died before it used them. */
  skipped: number
  seconds: number
  /** End states of the files handed in. */
  outcome: string
  errors: string[]
}

export type Print = (line: string) => void
