// Runs rows one after the other on one stage; all of them are audited at the end.

import { waitFor } from '../../test/support/http.ts'
import { audit } from './audit/audit.ts'
import { settle } from './audit/settle.ts'
import type { Arm, Hand, PointRow, Print, Result, StoreKind, TroubleRow } from './model.ts'
import type { KillableProcess } from './stage/killable.ts'
import { openStage, type Stage, type StageOptions } from './stage/stage.ts'

/** Longer than each wait within a row, which fails with its name. */
const ROW_MS = 300_000

export type Group = {
  name: string
  rows: readonly (PointRow | TroubleRow)[]
  options: StageOptions
  /** False if Redis loses its event log. */
  hasEventLog?: boolean
}

/** @returns a result for each row, and one for errors that belong to no row */
export async function runGroup(
  kind: StoreKind,
  { name, rows, options, hasEventLog }: Group,
  print: Print,
): Promise<Result[]> {
  const stage = await openStage(kind, options)
  try {
    const ran: Ran[] = []
    for (const row of rows) {
      // A file that was at work when the workers of three rows died would be given up, as it should be.
      if ('point' in row && row.role === 'worker') await settle(stage, handsOf(ran), hasEventLog)
      const one = await runRow(stage, name, row)
      print(lineOf(one.result))
      ran.push(one)
    }
    const hands = handsOf(ran)
    const startedMs = performance.now()
    const { byHand, shared } = await audit(stage, hands, hasEventLog === undefined ? {} : { hasEventLog })
    for (const { result, hand } of ran) {
      const found = hand === undefined ? undefined : byHand[hands.indexOf(hand)]
      result.errors.push(...(found?.errors ?? []))
      result.skipped = found?.skipped ?? 0
    }
    const seconds = (performance.now() - startedMs) / 1000
    const rest = {
      name: 'complete audit',
      what: 'audit',
      hits: 1,
      skipped: 0,
      outcome: `${hands.length} submissions`,
    }
    for (const { result } of ran) if (result.errors.length > 0) print(`audit ${lineOf(result)}`)
    for (const error of shared) print(`audit FAIL ${kind} ${name}: ${error}`)
    return [...ran.map(({ result }) => result), { group: name, store: kind, seconds, errors: shared, ...rest }]
  } finally {
    await stage.close()
  }
}

function handsOf(ran: readonly Ran[]): Hand[] {
  return ran.flatMap(({ hand }) => hand ?? [])
}

export function lineOf({ store, group, name, what, hits, seconds, errors }: Result): string {
  const verdict = errors.length === 0 && hits > 0 ? 'ok  ' : 'FAIL'
  return `${verdict} ${store.padEnd(5)} ${group}: ${name} (${what}) ${seconds.toFixed(1)} s ${errors.join('; ')}`
}

/** A row that hangs must not stop the others. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${ROW_MS / 1000} s`)), ROW_MS)
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

type Ran = { result: Result; hand: Hand | undefined }

async function runRow(stage: Stage, group: string, row: PointRow | TroubleRow): Promise<Ran> {
  const name = 'point' in row ? row.point : row.name
  const what = 'point' in row ? row.role : row.what
  const startedMs = performance.now()
  let hits = 0
  let target: KillableProcess | undefined
  let isHit = () => hits > 0
  const arm: Arm = (who) => {
    if (!('point' in row)) {
      hits++
      return
    }
    target = who ?? stage[row.role]
    isHit = target.arm(row.point, row.nth ?? 1)
  }
  const errors: string[] = []
  let hand: Hand | undefined
  try {
    hand = await inTime(row.drive(stage, `${stage.kind} ${group} ${name} ${row.drive.name}`, arm))
    // A worker reaches its steps some time after the client has finished.
    await waitFor(isHit, { what: `${name} to be hit` })
  } catch (error) {
    errors.push((error as Error).message.split('\n')[0] ?? '')
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
    result: { group, name, store: stage.kind, what, hits, skipped: 0, seconds, outcome, errors },
  }
}
