// Lane `validate`: the verdict. Type by the bytes, measurements from the index, rules of the slot: seconds after the last
// byte, however long the other lanes' queues are. A fault of the file is a verdict, never an error.

import { faultPoint } from '../../src/core/fault-points.ts'
import { objectKeys } from '../../src/records/keys.ts'
import type { StoredPart, UploadRecord } from '../../src/records/upload-record.ts'
import type { Judgement } from '../../src/submissions/rules/checks.ts'
import { withScratch } from '../media/scratch.ts'
import type { WorkerContext } from '../worker-context.ts'
import { judgeFile } from './judge-file.ts'
import { identifySource, measure } from './measure.ts'
import type { Measurement } from './measurement.ts'
import { removeOrphans } from './orphans.ts'
import { planRenditions } from './rendition-plan.ts'
import { type LaneRun, type LaneWork, uploadLane } from './run-lane.ts'
import { type SlotContext, siblingsInSlot, slotContextOf } from './slot-context.ts'
import { copyBytes, localFile, storedFile } from './stored-file.ts'
import { publishVerdict } from './verdict.ts'

export function createValidate(deps: WorkerContext) {
  return uploadLane(deps, validateWork(deps))
}

export function validateWork(deps: WorkerContext): LaneWork {
  return {
    lane: 'validate',
    mark: { state: 'checking' },
    expects: ({ state }) => state === 'checking',
    work: (run) => validate(deps, run),
    after: (record) => publishVerdict(deps, record),
  }
}

async function validate(deps: WorkerContext, run: LaneRun): Promise<void> {
  const { record, logger } = run
  faultPoint('validate.started')
  // Idempotent: where the object stands already, this asks for its size.
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
  const result = await run.finish(async (current) => ({
    ...verdictOf(place, current, measurement, judgement, deps.clock.now()),
    sequence: await deps.completion.nextSequence(current, current),
    sha256: sha256 ?? current.sha256,
    object: { key: current.object.key },
    error: null,
  }))
  faultPoint('validate.recorded')
  deps.metrics.uploadVerdict.observe(secondsSince(record.storedAt, deps.clock.now()))
  logger.info(
    { state: result.state, problems: result.problems.map(({ code }) => code) },
    judgement.accepted ? 'accepted' : 'rejected',
  )
  await removePieces(deps, record)
  // No lane comes after, in which what was left behind would be removed.
  if (!judgement.accepted) await removeOrphans(deps.store, result)
}

async function measureUpload(deps: WorkerContext, run: LaneRun): Promise<Measurement & { sha256?: string }> {
  const { record, signal } = run
  if (record.receivedBytes === 0) return { measured: { kind: 'other', container: 'unknown' } }
  const source = await storedFile(deps.store, record)
  const identity = await identifySource(source)
  // Only a PDF has to be here: its tools jump about in the file.
  const copied = identity.kind === 'pdf' ? copyBytes(source) : 0
  return await withScratch(deps.room, run.jobId, copied, async (scratch) => {
    const context = { runner: deps.runner, cwd: scratch.dir, signal }
    if (identity.kind !== 'pdf') return await measure(context, source, identity)
    const { source: local, sha256 } = await localFile(source, scratch, { signal })
    return {
      ...(await measure(context, local, identity)),
      ...(sha256 === undefined ? {} : { sha256 }),
    }
  })
}

function verdictOf(
  { slot }: SlotContext,
  current: UploadRecord,
  { measured }: Measurement,
  { problems, checks, accepted }: Judgement,
  nowMs: number,
): Partial<UploadRecord> {
  const fresh = { generation: 1, attempts: 0 }
  if (!accepted) {
    // Nobody reads the whole of a file that does not count: that lane is over before it begins.
    const inspect = { ...fresh, doneAt: new Date(nowMs).toISOString() }
    const lanes = { ...current.lanes, inspect }
    return { state: 'rejected', event: 'upload.rejected', measured, problems, checks, renditions: [], lanes }
  }
  const converted = problems.some(({ code }) => code === 'CONTAINER_CONVERTED')
  return {
    ...{ state: 'accepted', event: 'upload.accepted', measured, problems, checks },
    renditions: planRenditions(slot, measured, converted),
    lanes: { ...current.lanes, inspect: fresh, transcode: fresh },
  }
}

/** Pieces of the upload's own that are in the object now. Those of partial uploads are theirs. */
async function removePieces(deps: WorkerContext, { id, object }: UploadRecord): Promise<void> {
  const own = objectKeys.upload(id)
  const isOwn = ({ key }: StoredPart) => key?.startsWith(own) === true && key !== object.key
  for (const { key } of (object.parts ?? []).filter(isOwn))
    if (key !== undefined) await deps.store.remove(key)
}

export function secondsSince(iso: string | null, nowMs: number): number {
  return iso === null ? 0 : Math.max(0, nowMs - Date.parse(iso)) / 1000
}
