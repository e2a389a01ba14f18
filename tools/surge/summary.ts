// All numbers of a surge, and the errors among them.

import type { Removal } from '../lib/remove.ts'
import type { ClientOutcome } from './client.ts'
import { type Measures, type Spread, spreadOf } from './measures.ts'
import type { Finding } from './verify.ts'

export type Summary = {
  offered: number
  served: number
  /** Permanent refusals, by code. */
  refused: Record<string, number>
  unfinished: number
  lost: number
  duplicated: number
  restartedFromZero: number
  cut: number
  resumed: number
  /** How often a HEAD after a cut returned offset 0: nothing had been stored by then. */
  resumedAtZero: number
  retries: number
  payloadBytes: number
  /** Bytes sent by the clients; bytes lost in a cut connection are sent twice. */
  sentBytes: number
  /** Bytes received by the service's own count; null if its metrics could not be read. */
  receivedBytes: number | null
  states: Record<string, number>
  verdicts: Spread
  ready: Spread
  uploadTimes: Spread
  /** By method or call, in milliseconds. PATCH: from the last byte to the response. */
  latencies: Record<string, Spread>
  /** Every response of 400 and more, including those that a retry resolved. */
  answers: Record<string, number>
  generatorLateness: Spread
  /** On a stage: what was removed afterwards. */
  removal?: Removal
  /** Errors as texts; empty: all is well. */
  errors: string[]
}

const LATENCIES = ['POST', 'HEAD', 'PATCH', 'portal: put submission', 'portal: ticket']

export function summarize(
  outcomes: readonly ClientOutcome[],
  findings: readonly Finding[],
  measures: Measures,
  receivedBytes: number | null,
  removal?: Removal,
): Summary {
  const count = (end: Finding['end']) => findings.filter((finding) => finding.end === end).length
  const served = findings.filter(({ end }) => end === 'served')
  const uploads = outcomes.flatMap(({ upload }) => (upload === undefined ? [] : [upload]))
  const summary: Summary = {
    offered: outcomes.length,
    served: served.length,
    refused: tally(outcomes.filter((_, i) => findings[i]?.end === 'refused').map((one) => one.failureCode ?? '')),
    unfinished: count('unfinished'),
    lost: count('lost'),
    duplicated: sum(findings.map(({ duplicates }) => duplicates)),
    restartedFromZero: sum(uploads.map(({ restarts }) => restarts)),
    cut: uploads.filter(({ cuts }) => cuts > 0).length,
    resumed: uploads.filter(({ cuts, failure, restarts }) => cuts > 0 && failure === undefined && restarts === 0)
      .length,
    resumedAtZero: uploads.flatMap(({ resumedAt }) => resumedAt).filter((offset) => offset === 0).length,
    retries: measures.retries,
    payloadBytes: sum(outcomes.map(({ client, failure }) => (failure === undefined ? client.source.bytes : 0))),
    sentBytes: measures.sentBytes,
    receivedBytes,
    states: tally(findings.flatMap(({ state }) => (state === undefined ? [] : [state]))),
    verdicts: spreadOf(served.flatMap(({ verdictMs }) => verdictMs ?? [])),
    ready: spreadOf(served.flatMap(({ readyMs }) => readyMs ?? [])),
    uploadTimes: spreadOf(outcomes.filter(({ failure }) => failure === undefined).map((one) => one.milliseconds)),
    latencies: measures.spreads(LATENCIES),
    answers: measures.refusals(),
    generatorLateness: spreadOf(measures.lateness),
    ...(removal === undefined ? {} : { removal }),
    errors: [],
  }
  summary.errors = [...errorsOf(summary, findings), ...(removal?.errors ?? [])]
  return summary
}

function errorsOf(summary: Summary, findings: readonly Finding[]): string[] {
  const reasons = (end: Finding['end']) =>
    [...new Set(findings.filter((finding) => finding.end === end).map(({ why }) => why ?? ''))].slice(0, 3).join('; ')
  const wrong = findings.filter(({ end, state }) => end === 'served' && !['accepted', 'ready'].includes(state ?? ''))
  const states = Object.entries(tally(wrong.map(({ state, problems }) => [state, ...problems].join(' '))))
  const withoutVerdict = summary.served - summary.verdicts.count
  const errors: [number, string][] = [
    [summary.lost, `lost: ${reasons('lost')}`],
    [summary.duplicated, 'duplicated'],
    [summary.restartedFromZero, 'restarted from byte 0'],
    [summary.unfinished, `unfinished: ${reasons('unfinished')}`],
    [wrong.length, `not accepted: ${states.map(([state, n]) => `${n} × ${state}`).join(', ')}`],
    [withoutVerdict, 'served, but no verdict event was published'],
  ]
  return errors.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`)
}

function tally(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return Object.fromEntries([...counts].sort())
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
