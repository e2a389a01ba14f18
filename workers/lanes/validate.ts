// Lane `validate`: the verdict. Type by the bytes, measurements from the index, rules of the slot: seconds after the last
// byte, however long the other lanes' queues are. A fault of the file is a verdict, never an error.

import { faultPoint } from '../../src/core/fault-points.ts'
import { objectKeys } from '../../src/records/keys.ts'
import type { StoredPart, UploadRecord } from '../../src/records/upload-record.ts'
import type { Judgement } from '../../src/submissions/rules/checks.ts'
import { withScratch } from '../media/scratch.ts'
import { judgeFile } from './judge-file.ts'
import type { Kit } from './kit.ts'
import { identifySource, measure } from './measure.ts'
import type { Measurement } from './measurement.ts'
import { removeOrphans } from './orphans.ts'
import { type Place, placeOf, siblingsInSlot } from './place.ts'
import { planRenditions } from './rendition-plan.ts'
import { type LaneRun, type LaneWork, uploadLane } from './run-lane.ts'
import { copyBytes, localFile, storedFile } from './stored-file.ts'
import { announceVerdict } from './verdict.ts'

export function createValidate(kit: Kit) {
  return uploadLane(kit, validateWork(kit))
}

export function validateWork(kit: Kit): LaneWork {
  return {
    lane: 'validate',
    mark: { state: 'checking' },
    expects: ({ state }) => state === 'checking',
    work: (run) => validate(kit, run),
    after: (record) => announceVerdict(kit, record),
  }
}

async function validate(kit: Kit, run: LaneRun): Promise<void> {
  const { record, logger } = run
  faultPoint('validate.started')
  // Idempotent: where the object stands already, this asks for its size.
  await kit.completion.assemble(record)
  const place = await placeOf(kit, record)
  const { sha256, ...measurement } = await measureUpload(kit, run)
  const judgement = judgeFile(
    {
      slot: place.slot,
      declared: record.declared,
      actualBytes: record.receivedBytes,
      siblings: await siblingsInSlot(kit, record, place),
    },
    measurement,
  )
  faultPoint('validate.before-record')
  const result = await run.finish(async (current) => ({
    ...verdictOf(place, current, measurement, judgement, kit.clock.now()),
    sequence: await kit.completion.nextSequence(current, current),
    sha256: sha256 ?? current.sha256,
    object: { key: current.object.key },
    error: null,
  }))
  faultPoint('validate.recorded')
  kit.metrics.uploadVerdict.observe(secondsSince(record.storedAt, kit.clock.now()))
  logger.info(
    { state: result.state, problems: result.problems.map(({ code }) => code) },
    judgement.accepted ? 'accepted' : 'rejected',
  )
  await removePieces(kit, record)
  // No lane comes after, in which what was left behind would be removed.
  if (!judgement.accepted) await removeOrphans(kit.store, result)
}

async function measureUpload(kit: Kit, run: LaneRun): Promise<Measurement & { sha256?: string }> {
  const { record, signal } = run
  if (record.receivedBytes === 0) return { measured: { kind: 'other', container: 'unknown' } }
  const source = await storedFile(kit.store, record)
  const identity = await identifySource(source)
  // Only a PDF has to be here: its tools jump about in the file.
  const copied = identity.kind === 'pdf' ? copyBytes(source) : 0
  return await withScratch(kit.room, run.jobId, copied, async (scratch) => {
    const context = { runner: kit.runner, cwd: scratch.dir, signal }
    if (identity.kind !== 'pdf') return await measure(context, source, identity)
    const { source: local, sha256 } = await localFile(source, scratch, { signal })
    return {
      ...(await measure(context, local, identity)),
      ...(sha256 === undefined ? {} : { sha256 }),
    }
  })
}

function verdictOf(
  { slot }: Place,
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
async function removePieces(kit: Kit, { id, object }: UploadRecord): Promise<void> {
  const own = objectKeys.upload(id)
  const isOwn = ({ key }: StoredPart) => key?.startsWith(own) === true && key !== object.key
  for (const { key } of (object.parts ?? []).filter(isOwn)) if (key !== undefined) await kit.store.remove(key)
}

export function secondsSince(iso: string | null, nowMs: number): number {
  return iso === null ? 0 : Math.max(0, nowMs - Date.parse(iso)) / 1000
}
