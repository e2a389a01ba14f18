// Lane `validate`: the verdict. Type by the bytes, measurements from the index, rules of the slot: seconds after the last
// byte, independent of the other lanes' queues. An error of the file is a verdict, never a failure of the lane.

import { faultPoint } from '../../src/core/fault-points.ts'
import { accepted, rejected } from '../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../src/records/keys.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import { plannedRenditions } from '../../src/submissions/planned-renditions.ts'
import { urgent } from '../media/run.ts'
import { withScratch } from '../media/scratch.ts'
import type { WorkerContext } from '../worker-context.ts'
import { countRejection } from './count-rejection.ts'
import type { FairShare } from './fair-share.ts'
import { judgeFile } from './judge-file.ts'
import { identifySource, measure } from './measure.ts'
import type { Measurement } from './measurement.ts'
import { removeOrphans } from './orphans.ts'
import { type LaneRun, type LaneWork, uploadLane } from './run-lane.ts'
import { siblingsInSlot, slotContextOf } from './slot-context.ts'
import { storedFile } from './stored-file.ts'
import { withToolFiles } from './tool-files.ts'
import { publishVerdict } from './verdict.ts'

export function createValidate(deps: WorkerContext, share?: FairShare) {
  return uploadLane(deps, validateWork(deps), share)
}

export function validateWork(deps: WorkerContext): LaneWork {
  return {
    lane: 'validate',
    expects: ({ state }) => state === 'checking',
    work: (run) => validate(deps, run),
    after: (record) => publishVerdict(deps, record),
  }
}

async function validate(deps: WorkerContext, run: LaneRun): Promise<void> {
  const { record, logger } = run
  faultPoint('validate.started')
  // Idempotent: if the object exists already, this reads its size.
  await deps.completion.assemble(record)
  const place = await slotContextOf(deps, record)
  const { sha256, ...measurement } = await measureUpload(deps, run)
  const judgement = judgeFile(
    {
      slot: place.slot,
      declared: record.declared,
      actualBytes: record.receivedBytes,
      siblings: await siblingsInSlot(deps, record, place),
    },
    measurement,
  )
  faultPoint('validate.before-record')
  const result = await run.finish(async (current) => {
    const { measured } = measurement
    const { problems, checks } = judgement
    const sequence = await deps.completion.nextSequence(current, current)
    const verdict = { measured, problems, checks, sha256, sequence, atMs: deps.clock.now() }
    return judgement.accepted
      ? accepted(current, { ...verdict, renditions: plannedRenditions(place.slot, measured) })
      : rejected(current, verdict)
  })
  faultPoint('validate.recorded')
  countRejection(deps.metrics, result)
  deps.metrics.uploadVerdict.observe(secondsSince(record.storedAt, deps.clock.now()))
  logger.info(
    { state: result.state, problems: result.problems.map(({ code }) => code) },
    judgement.accepted ? 'accepted' : 'rejected',
  )
  await removePieces(deps, record)
  // No later lane would remove orphans.
  if (!judgement.accepted) await removeOrphans(deps.store, result)
}

async function measureUpload(deps: WorkerContext, run: LaneRun): Promise<Measurement & { sha256?: string }> {
  const { record, signal } = run
  if (record.receivedBytes === 0) return { measured: { kind: 'other', container: 'unknown' } }
  const stored = await storedFile(deps.store, record)
  return await withScratch(deps.room, run.jobId, 0, async (scratch) => {
    const context = { runner: urgent(deps.runner), cwd: scratch.dir, signal }
    return await withToolFiles({ room: deps.room, signal }, run.jobId, stored, async (fetched) => {
      const { source, files } = fetched
      const measurement = await measure(context, source, await identifySource(source), files)
      const sha256 = fetched.sha256()
      return { ...measurement, ...(sha256 === undefined ? {} : { sha256 }) }
    })
  })
}

/** Parts and segments that are joined now, and tails of holders that lost the lease. Those of partial uploads are kept. */
async function removePieces(deps: WorkerContext, { id, object }: UploadRecord): Promise<void> {
  const pieces = new Set((object.parts ?? []).map(({ key }) => key))
  for await (const { key } of deps.store.list(objectKeys.upload(id))) {
    const isPiece = pieces.has(key) || key.startsWith(objectKeys.tails(id))
    if (isPiece && key !== object.key) await deps.store.remove(key)
  }
}

export function secondsSince(iso: string | null, nowMs: number): number {
  return iso === null ? 0 : Math.max(0, nowMs - Date.parse(iso)) / 1000
}
