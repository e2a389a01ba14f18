// The outcome of every file, from the API and from events: each file has exactly one outcome, and the right one.

import type { EventReader } from '../../surge/events.ts'
import { type Spread, spreadOf } from '../../surge/measures.ts'
import type { Finding } from '../../surge/verify.ts'
import { expectedVerdict } from '../files/make.ts'
import type { UploadOutcome } from '../generator/messages.ts'

export type UploadAudit = {
  offered: number
  served: number
  /** Permanent refusals, by code. */
  refused: Record<string, number>
  unfinished: number
  lost: number
  duplicated: number
  /** Restarted from byte 0 although bytes were stored. */
  restartedFromZero: number
  /** Served, but no verdict event was published, or the document has no verdict. */
  undecided: number
  /** Damaged files accepted, or good files rejected. */
  misjudged: number
  /** States of the documents at the end, and codes of rejections. */
  states: Record<string, number>
  rejections: Record<string, number>
  payloadBytes: number
  /** From the last byte, in milliseconds. */
  verdicts: Spread
  ready: Spread
  /** Errors as texts: the first few of each kind. */
  errors: string[]
}

const DECIDED = new Set(['accepted', 'ready', 'rejected'])
const EXAMPLES = 3

/** Pure: compares the clients' outcomes with the documents and the events. */
export function auditUploads(
  outcomes: readonly UploadOutcome[],
  findings: readonly Finding[],
  verdictsOf: (uploadId: string) => readonly number[],
): UploadAudit {
  const all = outcomes.map((outcome, i) => ({ outcome, finding: findings[i] as Finding }))
  const ended = (end: Finding['end']) => all.filter(({ finding }) => finding.end === end)
  const served = ended('served')
  const undecided = served.filter(
    ({ outcome, finding }) => !DECIDED.has(finding.state ?? '') || verdictsOf(uploadId(outcome)).length === 0,
  )
  const misjudged = served.filter(({ outcome, finding }) => {
    const verdict = finding.state === 'ready' ? 'accepted' : finding.state
    return DECIDED.has(finding.state ?? '') && verdict !== expectedVerdict(outcome.plan)
  })
  const duplicated = all.filter(({ finding }) => finding.duplicates > 0)
  const restarted = all.filter(({ outcome }) => outcome.restarts > 0)
  const words = (what: string, list: typeof all, why: (one: (typeof all)[number]) => string) =>
    list.length === 0 ? [] : [`${list.length} ${what}: ${list.slice(0, EXAMPLES).map(why).join('; ')}`]
  const named = ({ outcome }: (typeof all)[number]) => `#${outcome.plan.number}`
  const reason = (one: (typeof all)[number]) => `${named(one)} ${one.finding.why ?? ''}`.slice(0, 200)
  return {
    offered: outcomes.length,
    served: served.length,
    refused: tally(ended('refused').map(({ outcome }) => outcome.failureCode ?? 'unknown')),
    unfinished: ended('unfinished').length,
    lost: ended('lost').length,
    duplicated: sum(all.map(({ finding }) => finding.duplicates)),
    restartedFromZero: sum(outcomes.map(({ restarts }) => restarts)),
    undecided: undecided.length,
    misjudged: misjudged.length,
    states: tally(all.flatMap(({ finding }) => finding.state ?? [])),
    rejections: tally(all.flatMap(({ finding }) => finding.problems)),
    payloadBytes: sum(served.map(({ outcome }) => outcome.plan.fileBytes)),
    verdicts: spreadOf(served.flatMap(({ finding }) => finding.verdictMs ?? [])),
    ready: spreadOf(served.flatMap(({ finding }) => finding.readyMs ?? [])),
    errors: [
      ...words('lost', ended('lost'), reason),
      ...words('duplicated', duplicated, named),
      ...words('restarted from byte 0', restarted, named),
      ...words('unfinished', ended('unfinished'), reason),
      ...words('permanently refused', ended('refused'), reason),
      ...words('without a verdict', undecided, ({ outcome, finding }) => `#${outcome.plan.number} is ${finding.state}`),
      ...words(
        'misjudged',
        misjudged,
        ({ outcome, finding }) =>
          `#${outcome.plan.number} ${outcome.plan.kind} ${outcome.plan.damage} ${finding.state} ${finding.problems.join(' ')}`,
      ),
    ],
  }
}

/** Whether every uploaded file has its verdict. */
export function allJudged(outcomes: readonly UploadOutcome[], events: EventReader): boolean {
  return outcomes.every(
    (outcome) => outcome.failure !== undefined || events.of(uploadId(outcome)).verdictsMs.length > 0,
  )
}

export function allReady(outcomes: readonly UploadOutcome[], events: EventReader): boolean {
  return outcomes.every(
    (outcome) =>
      outcome.failure !== undefined ||
      expectedVerdict(outcome.plan) === 'rejected' ||
      events.of(uploadId(outcome)).readyMs !== undefined,
  )
}

export function uploadId({ url }: Pick<UploadOutcome, 'url'>): string {
  return url?.split('/').at(-1) ?? ''
}

function tally(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return Object.fromEntries([...counts].sort())
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
