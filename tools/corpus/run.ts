// Runs rows one after the other: makes the file, hands it in, runs the lanes, checks the result.

import type { UploadRecord } from '../../src/records/upload-record.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import type { Corpus } from '../../test/support/media/corpus.ts'
import { type Alarms, SECRET } from './alarms.ts'
import { differences } from './compare.ts'
import { differsElsewhere } from './elsewhere.ts'
import { lookAt } from './look.ts'
import { watchMemory } from './memory.ts'
import { BOUNDS, type Cost, type Got, type GotRendition, type Result, type Row } from './model.ts'
import type { Workshop } from './workshop.ts'

const MIB = 1024 * 1024
/** A row that takes longer is ended with its tools. */
const GRACE_SECONDS = 30

export type Tools = { corpus: Corpus; workshop: Workshop; alarms: Alarms }

export async function runRow(tools: Tools, row: Row): Promise<Result> {
  let cost: Cost = { seconds: 0, toolMebibytes: 0, ownMebibytes: 0, tool: null }
  const ids: string[] = []
  try {
    const id = await handIn(tools, row, ids)
    const measured = await measuring(() => throughLanes(tools, row, id))
    cost = measured.cost
    const got = await gotOf(tools.workshop, row, measured.value)
    const errors = [
      ...differences(row, got, cost),
      ...differsElsewhere(tools.workshop.profiles, row, measured.value),
      ...(await tools.alarms.rung()),
    ]
    return { row, got, cost, errors }
  } catch (error) {
    return { row, got: null, cost, errors: [error instanceof Error ? error.message : String(error)] }
  } finally {
    await tools.workshop.clear(ids)
  }
}

/** Hands in the earlier files, then the row's own. */
async function handIn({ corpus, workshop, alarms }: Tools, row: Row, ids: string[]): Promise<string> {
  const submissionId = row.name
  const { profile, slot } = row.place
  await workshop.submission(submissionId, profile, row.plannedMinutes)
  for (const earlier of row.before ?? []) {
    const path = await earlier.make(corpus, alarms.bait)
    const id = await workshop.hand({ profile, slot: earlier.slot, submissionId, path })
    ids.push(id)
    const record = await workshop.through(id, { verdictOnly: false, unfenced: false, signal: bounded(row) })
    if (record.state !== 'ready') throw new Error(`an earlier file is ${record.state}`)
  }
  const path = await row.make(corpus, alarms.bait)
  const id = await workshop.hand({ profile, slot, submissionId, path })
  ids.push(id)
  return id
}

async function throughLanes({ workshop }: Tools, row: Row, id: string): Promise<UploadRecord> {
  const { verdictOnly = false, unfenced = false } = row
  return await workshop.through(id, { verdictOnly, unfenced, signal: bounded(row) })
}

function bounded(row: Row): AbortSignal {
  return AbortSignal.timeout(((row.bounds?.seconds ?? BOUNDS.seconds) + GRACE_SECONDS) * 1000)
}

async function measuring<T>(work: () => Promise<T>): Promise<{ value: T; cost: Cost }> {
  const memory = watchMemory()
  const startedMs = performance.now()
  try {
    const value = await work()
    const seconds = (performance.now() - startedMs) / 1000
    const { tool, ownGrowthBytes } = memory.stop()
    const cost = {
      seconds,
      toolMebibytes: tool.bytes / MIB,
      ownMebibytes: ownGrowthBytes / MIB,
      tool: tool.tool,
    }
    return { value, cost }
  } finally {
    memory.stop()
  }
}

async function gotOf(workshop: Workshop, row: Row, record: UploadRecord): Promise<Got> {
  const secrets = [...(row.secrets ?? []), SECRET]
  const renditions: GotRendition[] = []
  for (const { name, kind, state, reason, width, height, key } of record.renditions) {
    renditions.push({
      name,
      kind,
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(width === undefined || height === undefined ? {} : { width, height }),
      ...(key === undefined || state !== 'ready' ? {} : { look: await lookAt(workshop.pathOf(key), secrets) }),
    })
  }
  const { lastError } = Object.values(record.lanes).find((lane) => lane.lastError !== undefined) ?? {}
  return {
    state: record.state,
    problems: Object.fromEntries(record.problems.map(({ code, severity }) => [code, severity])),
    measured: record.measured,
    seconds: record.measured === null ? undefined : judgedDurationSeconds(record.measured),
    renditions,
    error: record.error === null ? null : `${record.error.code}${lastError === undefined ? '' : `: ${lastError}`}`,
  }
}
