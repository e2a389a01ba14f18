// Rows one after the other on one stage; the audit of all of them comes at the end, as it would in life.

import { waitFor } from '../../test/support/http.ts'
import { audit } from './audit/audit.ts'
import type { Arm, Hand, PointRow, Result, StoreKind, Tell, TroubleRow } from './model.ts'
import type { Mortal } from './stage/mortal.ts'
import { openStage, type Stage, type StageOptions } from './stage/stage.ts'

/** A worker comes by its steps after the client has long gone. */
const HIT_MS = 45_000
const ROW_MS = 120_000

export type Group = {
  name: string
  rows: readonly (PointRow | TroubleRow)[]
  options: StageOptions
  /** False where Redis loses its log of events. */
  told?: boolean
}

/** @returns a result of each row, and one of what belongs to none */
export async function runGroup(kind: StoreKind, { name, rows, options, told }: Group, tell: Tell): Promise<Result[]> {
  const stage = await openStage(kind, options)
  try {
    const ran: { result: Result; hand: Hand | undefined }[] = []
    for (const row of rows) {
      const one = await runRow(stage, name, row)
      tell(lineOf(one.result))
      ran.push(one)
    }
    const hands = ran.flatMap(({ hand }) => hand ?? [])
    const startedMs = performance.now()
    const { byHand, shared } = await audit(stage, hands, told === undefined ? {} : { told })
    for (const { result, hand } of ran) {
      const found = hand === undefined ? undefined : byHand[hands.indexOf(hand)]
      result.faults.push(...(found?.faults ?? []))
      result.skipped = found?.skipped ?? 0
    }
    const seconds = (performance.now() - startedMs) / 1000
    const rest = {
      name: 'all of it, in the end',
      what: 'audit',
      hits: 1,
      skipped: 0,
      outcome: `${hands.length} submissions`,
    }
    for (const { result } of ran) if (result.faults.length > 0) tell(`audit ${lineOf(result)}`)
    for (const fault of shared) tell(`audit FAIL ${kind} ${name}: ${fault}`)
    return [...ran.map(({ result }) => result), { group: name, store: kind, seconds, faults: shared, ...rest }]
  } finally {
    await stage.close()
  }
}

export function lineOf({ store, group, name, what, hits, seconds, faults }: Result): string {
  const verdict = faults.length === 0 && hits > 0 ? 'ok  ' : 'FAIL'
  return `${verdict} ${store.padEnd(5)} ${group}: ${name} (${what}) ${seconds.toFixed(1)} s ${faults.join('; ')}`
}

/** A row that hangs must not keep the others from being run. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not through after ${ROW_MS / 1000} s`)), ROW_MS)
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

type Ran = { result: Result; hand: Hand | undefined }

async function runRow(stage: Stage, group: string, row: PointRow | TroubleRow): Promise<Ran> {
  const name = 'point' in row ? row.point : row.name
  const what = 'point' in row ? row.role : row.what
  const startedMs = performance.now()
  let hits = 0
  let target: Mortal | undefined
  let isHit = () => hits > 0
  const arm: Arm = (who) => {
    if (!('point' in row)) {
      hits++
      return
    }
    target = who ?? stage[row.role]
    isHit = target.arm(row.point, row.nth ?? 1)
  }
  const faults: string[] = []
  let hand: Hand | undefined
  try {
    hand = await inTime(row.drive(stage, `${stage.kind} ${group} ${name} ${row.drive.name}`, arm))
    await waitFor(isHit, { timeoutMs: HIT_MS, what: `${name} to be hit` })
  } catch (error) {
    faults.push((error as Error).message.split('\n')[0] ?? '')
  }
  if (target !== undefined) {
    hits = isHit() ? 1 : 0
    target.disarm()
  }
  await Promise.all([stage.service.ready(), stage.worker.ready()])
  const outcome = hand?.files.map(({ end }) => end).join(', ') ?? 'none'
  const seconds = (performance.now() - startedMs) / 1000
  return {
    hand,
    result: { group, name, store: stage.kind, what, hits, skipped: 0, seconds, outcome, faults },
  }
}
