// Lane `inspect`: checks that need the whole file: SHA-256, decoding of start and end,
// silence, black or frozen picture, duplicates. It warns, and rejects only for codes named by the profile.

import { faultPoint } from '../../src/core/fault-points.ts'
import { keepIfSealed } from '../../src/lifecycle/sealed-uploads.ts'
import { inspected } from '../../src/lifecycle/transitions.ts'
import { isAccepted, type Measured, type NextUpload, type UploadRecord } from '../../src/records/upload-record.ts'
import { refreshCompleteness } from '../../src/submissions/completeness.ts'
import { withInspection } from '../../src/submissions/rules/checks.ts'
import { foundBefore, judgeInspection } from '../../src/submissions/rules/inspect.ts'
import type { WorkerContext } from '../worker-context.ts'
import { reinspectCopies } from './copies.ts'
import { countRejection } from './count-rejection.ts'
import { type Readings, readWhole } from './read-whole.ts'
import { type LaneRun, type LaneWork, uploadLane } from './run-lane.ts'
import { type SlotContext, siblingFiles, slotContextOf } from './slot-context.ts'

export function createInspect(deps: WorkerContext) {
  return uploadLane(deps, inspectWork(deps))
}

export function inspectWork(deps: WorkerContext): LaneWork {
  return {
    lane: 'inspect',
    expects: ({ state }) => isAccepted(state),
    work: (run) => inspect(deps, run),
    async after(record) {
      if (record.submissionId === null) return
      await deps.sameContent.add(record)
      await reinspectCopies(deps, record)
      // A verdict at the moment of a seal does not change the sealed files.
      if (record.state === 'rejected' && (await keepIfSealed(deps, record))) return
      if (record.state === 'rejected') await refreshCompleteness(deps, record.owner, record.submissionId, record.trace)
    },
  }
}

async function inspect(deps: WorkerContext, run: LaneRun): Promise<void> {
  const { record, logger } = run
  faultPoint('inspect.started')
  // Only the comparison is repeated: the bytes and their results have not changed.
  const { sha256 } = record
  const readings: Readings =
    record.lanes.inspect?.repeat === true && sha256 !== null
      ? { sha256, signals: {}, ...foundBefore(record) }
      : await readWhole(deps, run)
  faultPoint('inspect.before-record')
  const result = await run.finish(async (current) => {
    const measured = { ...(current.measured ?? { kind: 'other', container: 'unknown' }), ...readings.signals }
    return await judged(deps, current, { ...readings, measured })
  })
  faultPoint('inspect.recorded')
  countRejection(deps.metrics, result)
  const codes = result.problems.map(({ code }) => code)
  logger.info({ state: result.state, problems: codes }, 'inspected')
}

/** Repeated for every attempt to commit, so that a new seal is seen. */
async function judged(
  deps: WorkerContext,
  current: UploadRecord,
  { sha256, measured, decodable, malware }: Readings & { measured: Measured },
): Promise<NextUpload> {
  const place = await slotContextOf(deps, current)
  const plannedMinutes = plannedMinutesOf(place)
  const inspection = judgeInspection({
    slot: place.slot,
    measured,
    ...(decodable === undefined ? {} : { decodable }),
    ...(malware === undefined ? {} : { malware }),
    ...(plannedMinutes === undefined ? {} : { plannedMinutes }),
    upload: { ...current, sha256 },
    siblings: await siblingFiles(deps, current.id, place),
    sealed: isSealed(place, current.id),
  })
  const { problems, checks } = withInspection(current, inspection)
  const rejection = inspection.accepted ? null : await deps.completion.nextSequence(current, current)
  return inspected(current, { measured, sha256, problems, checks, atMs: deps.clock.now() }, rejection)
}

function plannedMinutesOf({ slot, submission }: SlotContext): number | undefined {
  const { plannedTime } = slot
  const value = plannedTime && submission?.head.slotMetadata[plannedTime.slot]?.[plannedTime.field]
  return typeof value === 'number' ? value : undefined
}

/** Whether a seal lists the upload, in its revision or in one that carried it over. */
function isSealed({ submission }: SlotContext, id: string): boolean {
  if (submission === undefined) return false
  const { state, revisions } = submission.head
  return (
    state === 'sealed' ||
    revisions.some(({ uploads }) =>
      Object.values(uploads ?? {})
        .flat()
        .includes(id),
    )
  )
}
