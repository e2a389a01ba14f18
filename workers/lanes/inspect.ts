// Lane `inspect`: what only reading the whole file can tell. Its SHA-256, whether start and end of the picture decode,
// silence, blackness, standstill, the same file handed in twice. It may warn, and reject only what the profile names.

import { faultPoint } from '../../src/core/fault-points.ts'
import { keepIfSealed } from '../../src/lifecycle/sealed-uploads.ts'
import { inspected } from '../../src/lifecycle/transitions.ts'
import { isAccepted, type Measured, type NextUpload, type UploadRecord } from '../../src/records/upload-record.ts'
import { refreshCompleteness } from '../../src/submissions/completeness.ts'
import { withInspection } from '../../src/submissions/rules/checks.ts'
import { foundBefore, judgeInspection } from '../../src/submissions/rules/inspect.ts'
import type { WorkerContext } from '../worker-context.ts'
import { reinspectCopies } from './copies.ts'
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
      await reinspectCopies(deps, record)
      // A verdict that came in the same moment as a seal does not take back what was handed in.
      if (record.state === 'rejected' && (await keepIfSealed(deps, record))) return
      if (record.state === 'rejected') await refreshCompleteness(deps, record.owner, record.submissionId)
    },
  }
}

async function inspect(deps: WorkerContext, run: LaneRun): Promise<void> {
  const { record, logger } = run
  faultPoint('inspect.started')
  // Asked to compare a file that was read before: the bytes have not changed, and what was found in them stands.
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
  const codes = result.problems.map(({ code }) => code)
  logger.info({ state: result.state, problems: codes }, 'inspected')
}

/** Asked again for every try at the commit, so that a seal that came meanwhile is seen. */
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

/** What a seal has frozen stays as it was handed in, in that revision and in those that carried it over. */
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
