// What the suite speaks of: who hands in what, what is to become of it, and what a run has shown.

import type { FaultPoint } from '../../src/core/fault-points.ts'
import type { Mortal, Role } from './stage/mortal.ts'
import type { Stage } from './stage/stage.ts'

export type StoreKind = 'local' | 's3'

/** What an upload must be in the end, whatever went wrong on the way. */
export type End = 'ready' | 'rejected' | 'cancelled' | 'expired'

export type HandedFile = { id: string; sha256: string; bytes: number; end: End }

/** One submission of a run. */
export type Hand = { submissionId: string; files: HandedFile[] }

/**
 * Called when the time has come: orders the death of a process at the row's point (`who` where it is not the stage's
 * own), or says that the trouble has happened once more.
 */
export type Arm = (who?: Mortal) => void

/** Uses the service as a client or a portal would, and goes on until it is through. */
export type Drive = (stage: Stage, seed: string, arm: Arm) => Promise<Hand>

export type PointRow = {
  point: FaultPoint
  role: Role
  drive: Drive
  /** Absent: on both. */
  only?: StoreKind
  /** At which time that it comes by; default the first. */
  nth?: number
}

/** Anything else that goes wrong around the service. */
export type TroubleRow = { name: string; what: string; drive: Drive; only?: StoreKind }

export type Result = {
  group: string
  name: string
  store: StoreKind
  /** Which process died, or what was done to it. */
  what: string
  hits: number
  /** Numbers that nobody's version or event carries: drawn by a process that died before it could use them. */
  skipped: number
  seconds: number
  /** Ends of the files handed in, in words. */
  outcome: string
  faults: string[]
}

export type Tell = (line: string) => void
