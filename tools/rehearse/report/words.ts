// The result in a terminal: goals, errors and latencies.

import { bytesInWords, timeInWords } from '../../lib/words.ts'
import type { Recorder } from '../watch/recorder.ts'
import type { GeneratorFigures, Report } from './report.ts'

export function resultLines({ goals, errors, latencies, audit, crowd, service }: Report): string[] {
  const width = Math.max(...goals.map(({ name }) => name.length))
  const spreads = { ...latencies, 'last byte → verdict': audit.verdicts, 'last byte → ready': audit.ready }
  const cell = (ms: number | null) => (ms === null ? '–' : timeInWords(ms)).padStart(10)
  return [
    '',
    ...goals.map(
      ({ name, limit, actual, met }) => `${met ? '✓' : '✗'} ${name.padEnd(width)}  ${actual.padStart(14)}   ${limit}`,
    ),
    '',
    `${''.padEnd(24)}${['count', 'p50', 'p95', 'p99', 'max'].map((word) => word.padStart(10)).join('')}`,
    ...Object.entries(spreads).map(
      ([name, { count, p50, p95, p99, max }]) =>
        `${name.padEnd(24)}${String(count).padStart(10)}${[p50, p95, p99, max].map(cell).join('')}`,
    ),
    '',
    `offered ${audit.offered}, served ${audit.served}; ${Object.entries(audit.states)
      .map(([state, n]) => `${state} ${n}`)
      .join(', ')}`,
    `breaks ${crowd.breaks}, resumed ${crowd.resumes}, retries ${crowd.retries}, manual retries ${crowd.gaveUp}; load-generator lag p99 ${cell(crowd.generatorLateMs.p99).trim()}`,
    ...generatorLines(crowd.generators ?? []),
    `CPU s: ${Object.entries(service.cpuSeconds)
      .map(([name, s]) => `${name} ${s.toFixed(0)}`)
      .join(', ')}`,
    `peak RSS: ${Object.entries(service.peakRssBytes)
      .map(([name, bytes]) => `${name} ${bytesInWords(bytes)}`)
      .join(', ')}`,
    ...errors.map((error) => `✗ ${error}`),
  ]
}

/** Each generator's own lateness: a generator that is late measures itself. */
function generatorLines(generators: readonly GeneratorFigures[]): string[] {
  if (generators.length < 2 && generators.every(({ limitedSeconds }) => limitedSeconds === 0)) return []
  return generators.map(({ name, clients, clockOffsetMs, lateMs, limitedSeconds }) => {
    const late = `late p50 ${lateMs.p50 ?? 0} ms, p99 ${lateMs.p99 ?? 0} ms, max ${lateMs.max ?? 0} ms`
    const clock = `clock ${clockOffsetMs >= 0 ? '+' : ''}${clockOffsetMs} ms`
    return `generator ${name}: ${clients} clients, ${late}, ${clock}, held back by the byte limit in ${limitedSeconds} s`
  })
}

export function progressLine(recorder: Recorder, verdicts: number, ready: number): string {
  const seconds = Math.max(0, (Date.now() - recorder.startAtMs) / 1000)
  const clock = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
  const { arrived, served, failed, breaks, gaveUp, sentBytes } = recorder.totals
  return (
    `${clock.padStart(5)}  arrived ${arrived}  sending ${recorder.sending}  uploaded ${served}  failed ${failed}` +
    `  breaks ${breaks}  manual retries ${gaveUp}  verdicts ${verdicts}  ready ${ready}  ${bytesInWords(sentBytes)}`
  )
}
