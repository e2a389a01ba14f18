// Records of uploads for tests, made by the transitions that make them in life.

import type { Current } from '../../src/lifecycle/transition-table.ts'
import {
  accepted,
  cancelled,
  expired,
  inspected,
  laneFailed,
  laneStarted,
  receivingRecord,
  rejected,
  renditionChanged,
  renditionsFinished,
  storedRecord,
} from '../../src/lifecycle/transitions.ts'
import {
  type Check,
  type FileProblem,
  isAccepted,
  type LaneName,
  type Measured,
  type NextUpload,
  type Rendition,
  type StoredObject,
  type UploadRecord,
  type UploadState,
} from '../../src/records/upload-record.ts'

export { receivingRecord }

export type Details = {
  /** Of the last step; those before it have none. Default: the record's own. */
  sequence?: number
  atMs?: number
  object?: StoredObject
  bytes?: number
  late?: boolean
  measured?: Measured
  problems?: FileProblem[]
  checks?: Check[]
  renditions?: Rendition[]
  /** The whole file was read, too. */
  sha256?: string
}

const PDF: Measured = { kind: 'pdf', container: 'pdf', pages: 3 }

/** A lane's job begins, claimed by a worker of this test. */
export function begun(current: Current, lane: LaneName, atMs = Date.now()): NextUpload {
  const until = new Date(atMs + 600_000).toISOString()
  const generation = current.lanes[lane]?.generation ?? 1
  return laneStarted(current, lane, { generation, claim: { token: 'test', worker: 'test', until } })
}

/** The record in a later state of its life, by all steps that lead there. Throws where no way leads there. */
export function reached(current: Current, state: UploadState, details: Details = {}): NextUpload {
  const { sequence = current.sequence, atMs = Date.now() } = details
  switch (state) {
    case 'receiving':
      throw new Error('a record begins so')
    case 'stored':
      return storedRecord(current, {
        object: details.object ?? current.object,
        bytes: details.bytes ?? current.declared.bytes ?? 0,
        storedAt: new Date(atMs).toISOString(),
        late: details.late ?? false,
        sequence,
      })
    case 'cancelled':
      return cancelled(current, sequence)
    case 'expired':
      return expired(current, sequence)
    case 'checking':
      return begun(current.state === 'receiving' ? reached(current, 'stored', details) : current, 'validate', atMs)
    case 'failed':
      return failed(checking(current, details), 'validate', { sequence, atMs })
    case 'rejected':
      if (isAccepted(current.state)) return rejectedLater(current, details, sequence, atMs)
      return rejected(checking(current, details), verdict(details, sequence, atMs))
    case 'accepted':
      return read(taken(current, details, sequence, atMs), details, atMs)
    case 'ready':
      return ready(taken(current, details, sequence, atMs), details, sequence, atMs)
  }
}

/** Reading the whole file found what rejects it. */
function rejectedLater(current: Current, details: Details, sequence: number, atMs: number): NextUpload {
  const { problems = current.problems, checks = current.checks, measured = current.measured ?? PDF } = details
  const sha256 = details.sha256 ?? 'a'.repeat(64)
  return inspected(begun(current, 'inspect', atMs), { problems, checks, measured, sha256, atMs }, sequence)
}

function checking(current: Current, details: Details): Current {
  return current.state === 'checking' ? current : reached(current, 'checking', details)
}

function verdict({ measured = PDF, problems = [], checks = [] }: Details, sequence: number, atMs: number) {
  return { measured, problems, checks, sha256: undefined, sequence, atMs }
}

function taken(current: Current, details: Details, sequence: number, atMs: number): NextUpload {
  if (current.state === 'accepted') return current as NextUpload
  const { renditions = [] } = details
  return accepted(checking(current, details), { ...verdict(details, sequence, atMs), renditions })
}

/** What reading the whole file adds, where the details have its hash; the event stays that of the verdict. */
function read(current: NextUpload, { sha256, checks, problems }: Details, atMs: number): NextUpload {
  if (sha256 === undefined) return current
  const found = { checks: checks ?? current.checks, problems: problems ?? current.problems }
  const measured = current.measured ?? PDF
  const { event } = current
  return { ...inspected(begun(current, 'inspect', atMs), { ...found, measured, sha256, atMs }, null), event }
}

function ready(current: Current, details: Details, sequence: number, atMs: number): NextUpload {
  let made: Current = begun(read(current as NextUpload, details, atMs), 'transcode', atMs)
  for (const { name } of made.renditions) made = renditionChanged(made, name, { state: 'ready' })
  return renditionsFinished(made, { sequence, atMs })
}

/** A lane that was given up for now. */
export function failed(
  current: Current,
  lane: LaneName,
  {
    sequence = null,
    atMs = Date.now(),
    message = 'a fault of ours',
    code = 'INTERNAL',
    final = false,
  }: {
    sequence?: number | null
    atMs?: number
    message?: string
    code?: string
    final?: boolean
  } = {},
): NextUpload {
  return laneFailed(current, lane, { message, code, final, sequence, atMs })
}

/** Another version in the same state, for tests of what is told and where bytes lie. */
export function noted(
  current: Current,
  change: Partial<Pick<UploadRecord, 'event' | 'sequence' | 'object' | 'problems' | 'mediaRemovedAt'>>,
): NextUpload {
  return { ...current, event: null, ...change } as NextUpload
}
