// The summary as a table in a terminal.

import { bytesInWords, timeInWords } from '../lib/words.ts'
import type { Spread } from './measures.ts'
import type { Summary } from './summary.ts'

export function tableLines(summary: Summary): string[] {
  const { payloadBytes, sentBytes, receivedBytes } = summary
  const refused = Object.values(summary.refused).reduce((total, number) => total + number, 0)
  const rows: [string, string | number][] = [
    ['offered', summary.offered],
    ['served', summary.served],
    ['refused', withParts(refused, summary.refused)],
    ['unfinished', summary.unfinished],
    ['lost', `${summary.lost}   by SHA-256`],
    ['duplicated', summary.duplicated],
    ['connections cut', summary.cut],
    ['resumed', `${summary.resumed}   HEAD returned 0: ${summary.resumedAtZero}`],
    ['restarted from zero', summary.restartedFromZero],
    ['retries', summary.retries],
    ['payload', bytesInWords(payloadBytes)],
    ['sent by clients', `${bytesInWords(sentBytes)}   ${share(sentBytes, payloadBytes)}`],
    [
      'received by the service',
      receivedBytes === null ? 'unknown' : `${bytesInWords(receivedBytes)}   ${share(receivedBytes, payloadBytes)}`,
    ],
    ['states', parts(summary.states)],
    ...(summary.removal === undefined
      ? []
      : [['removed afterwards', `${summary.removal.removed} submissions`] as [string, string]]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}   ${value}`),
    '',
    ...spreadTable({
      ...summary.latencies,
      'last byte → verdict': summary.verdicts,
      'last byte → ready': summary.ready,
      'arrival → last response': summary.uploadTimes,
      'load-generator lag': summary.generatorLateness,
    }),
    '',
    ...Object.entries(summary.answers).map(([answer, count]) => `${String(count).padStart(6)} × ${answer}`),
  ]
}

function spreadTable(spreads: Record<string, Spread>): string[] {
  const width = Math.max(...Object.keys(spreads).map((name) => name.length))
  const cell = (milliseconds: number | null) => (milliseconds === null ? '–' : timeInWords(milliseconds)).padStart(12)
  const head = `${''.padEnd(width)}${['count', 'p50', 'p95', 'p99', 'max'].map((word) => word.padStart(12)).join('')}`
  return [
    head,
    ...Object.entries(spreads).map(([name, { count, p50, p95, p99, max }]) =>
      [name.padEnd(width), String(count).padStart(12), cell(p50), cell(p95), cell(p99), cell(max)].join(''),
    ),
  ]
}

function share(bytes: number, payloadBytes: number): string {
  return payloadBytes === 0 ? '' : `${((bytes / payloadBytes) * 100).toFixed(1)} % of the payload`
}

function parts(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([word, count]) => `${word} ${count}`)
    .join(', ')
}

function withParts(total: number, counts: Record<string, number>): string {
  return total === 0 ? '0' : `${total}   ${parts(counts)}`
}
