// Lane `transcode`: renditions. Required ones first; each is written to a new key and counts only after
// exit 0, a verification of the output, and a commit. Ready renditions are kept when the lane runs again.

import { faultPoint } from '../../src/core/fault-points.ts'
import { renditionChanged, renditionsFinished } from '../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../src/records/keys.ts'
import { isAccepted, type NextUpload, type Rendition } from '../../src/records/upload-record.ts'
import { ruleOf } from '../../src/submissions/planned-renditions.ts'
import { hashSource } from '../media/copy.ts'
import { fileSource } from '../media/source.ts'
import type { WorkerContext } from '../worker-context.ts'
import { isInputError } from './failure.ts'
import { removeOrphans } from './orphans.ts'
import { givesUp, reasonOf } from './rendition-failure.ts'
import { makeRendition, type RenditionInput, type RenditionOutput, withRenditionInput } from './renditions.ts'
import { type Change, type LaneRun, type LaneWork, uploadLane } from './run-lane.ts'
import { slotContextOf } from './slot-context.ts'
import { secondsSince } from './validate.ts'

export function createTranscode(deps: WorkerContext) {
  return uploadLane(deps, transcodeWork(deps))
}

export function transcodeWork(deps: WorkerContext): LaneWork {
  return {
    lane: 'transcode',
    expects: ({ state }) => isAccepted(state),
    work: (run) => transcodeAll(deps, run),
    after: async (record) => void (await removeOrphans(deps.store, record)),
  }
}

async function transcodeAll(deps: WorkerContext, run: LaneRun): Promise<void> {
  faultPoint('transcode.started')
  const due = run.record.renditions.filter(isDue)
  run.progress.report(0, null)
  if (due.length > 0)
    await withRenditionInput(deps, run, async (material) => {
      for (const { name } of due) await one(deps, run, material, name)
    })
  faultPoint('transcode.before-record')
  const result = await run.finish(async (current) =>
    renditionsFinished(current, {
      sequence: await deps.completion.nextSequence(current, current),
      atMs: deps.clock.now(),
    }),
  )
  faultPoint('transcode.recorded')
  const kind = result.measured?.kind ?? 'other'
  if (result.state === 'ready')
    deps.metrics.uploadReady.observe({ kind }, secondsSince(result.storedAt, deps.clock.now()))
  run.logger.info({ state: result.state, renditions: result.renditions.map(shortly) }, 'making renditions')
}

async function one(deps: WorkerContext, run: LaneRun, material: RenditionInput, name: string): Promise<void> {
  const marked = await run.update((current) => renditionChanged(current, name, { state: 'running' }))
  const rendition = marked.renditions.find((other) => other.name === name)
  if (rendition === undefined || marked.measured === null) return
  const { slot } = await slotContextOf(deps, marked)
  try {
    const made = await makeRendition(material, {
      rule: ruleOf(slot, marked.measured, rendition),
      earlier: marked.renditions.filter(({ state }) => state === 'ready'),
    })
    if ('skipped' in made)
      await run.update((current) => renditionChanged(current, name, { state: 'skipped', reason: made.skipped }))
    else await publish(deps, run, name, made)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!givesUp(error, { required: rendition.required, run })) throw error
    run.logger.warn({ err: error, rendition: name }, 'a rendition failed')
    if (rendition.required && !isInputError(error))
      deps.metrics.jobsAbandoned.inc({ queue: 'transcode', code: reasonOf(error) })
    await run.update((current) => renditionChanged(current, name, { state: 'failed', reason: reasonOf(error) }))
  }
}

/** First the object, then the commit; without the commit the object is an orphan. */
async function publish(deps: WorkerContext, run: LaneRun, name: string, made: RenditionOutput): Promise<void> {
  const { record, lease, signal } = run
  const sha256 = await hashSource(await fileSource(made.path), { signal })
  const key = objectKeys.rendition(record.id, lease.token, made.fileName)
  const { contentType, width, height, bytes, durationSeconds, reason } = made
  try {
    await deps.store.publish(key, made.path, contentType)
    faultPoint('transcode.rendition-written')
    signal.throwIfAborted()
    await run.update(
      playable(deps, name, {
        key,
        contentType,
        width,
        height,
        bytes,
        sha256,
        ...durationSeconds,
        ...(reason === undefined ? {} : { reason }),
      }),
    )
    faultPoint('transcode.rendition-recorded')
  } catch (error) {
    await deps.store.remove(key).catch((err: unknown) => run.logger.warn({ err, key }, 'orphaned output not deleted'))
    throw error
  }
}

function playable(deps: WorkerContext, name: string, made: Partial<Rendition>): Change {
  return async (current): Promise<NextUpload> => {
    const isFirst =
      !current.renditions.some(isPlayable) &&
      current.renditions.some((each) => each.name === name && isPlayable({ ...each, state: 'ready' }))
    const sequence = isFirst ? await deps.completion.nextSequence(current, current) : null
    return renditionChanged(current, name, { ...made, state: 'ready' }, sequence)
  }
}

function isDue({ state }: Rendition): boolean {
  return state === 'waiting' || state === 'running'
}

/** Posters are not playable. */
function isPlayable({ state, kind }: Rendition): boolean {
  return state === 'ready' && kind !== 'poster'
}

function shortly({ name, state }: Rendition): string {
  return `${name} ${state}`
}
