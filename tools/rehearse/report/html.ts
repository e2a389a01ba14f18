// The report as one self-contained HTML file: result, goals, plots, figures.

import { bytesInWords, timeInWords } from '../../lib/words.ts'
import type { Spread } from '../../surge/measures.ts'
import { escaped, PLOT_STYLE, plotSvg } from './plot.ts'
import { lastSecond, plotsOf } from './plots.ts'
import type { Report } from './report.ts'

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { max-width: 1300px; margin: 2rem auto; padding: 0 1.5rem }
  h1 { margin-bottom: 0 } h2 { margin-top: 2.2rem } .quiet { color: #6b7280 }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums } td, th { padding: 0.18rem 0.9rem 0.18rem 0; text-align: right; vertical-align: top; font-weight: normal }
  th { color: #6b7280 } td { white-space: nowrap } td:first-child, th:first-child { text-align: left; white-space: normal }
  .goals td { text-align: left; white-space: normal } .goals td:first-child { min-width: 11rem } .met { color: #1a7f5a } .missed { color: #c23b3b; font-weight: 600 }
  .result { display: inline-block; padding: 0.2rem 0.8rem; border-radius: 0.4rem; color: #fff; background: #1a7f5a } .result.bad { background: #c23b3b }
  .plots, .side { display: grid; grid-template-columns: repeat(auto-fit, minmax(560px, 1fr)); gap: 1.2rem 2rem } .plots svg { width: 100%; height: auto }
  code { font-size: 0.93em } ${PLOT_STYLE}`

export function reportHtml(report: Report): string {
  const { scenario, goals, errors, marks, files } = report
  const frame = { seconds: lastSecond(report), marks }
  const missed = goals.filter(({ met }) => !met).length
  const crowd = `${files.count} clients with ${bytesInWords(files.bytes)} (median file ${bytesInWords(files.medianBytes)}) within ${timeInWords(scenario.minutes * 60_000)}; ${files.damaged} files damaged, ${files.pdf} PDFs, ${files.real} sent by tus-js-client; ${report.target ?? `${scenario.services} service and ${scenario.workers} worker processes, store: ${scenario.storage}`}; sizes × ${scenario.scale}, connection speeds × ${scenario.speed}`
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rehearsal: ${escaped(scenario.name)}</title><style>${STYLE}</style>
<h1>Rehearsal: ${escaped(scenario.name)}</h1>
<p>${escaped(scenario.story)}</p>
<p><span class="result ${missed > 0 ? 'bad' : ''}">${missed === 0 ? 'all goals met' : `${missed} of ${goals.length} goals missed`}</span></p>
<p>${escaped(crowd)}.</p>
<p class="quiet">${escaped(report.machine)}; ${escaped(report.startedAt)}; took ${timeInWords(report.tookSeconds * 1000)}; <code>${escaped(report.command)}</code></p>
<div class="side"><section><h2>Goals</h2>
${table(
  ['', 'limit', 'measured', ''],
  goals.map(({ name, limit, actual, met }) => [
    name,
    limit,
    actual,
    met ? '<span class="met">✓</span>' : '<span class="missed">✗ missed</span>',
  ]),
  'goals',
)}
${errors.length === 0 ? '' : `<h2>Errors found</h2><ul>${errors.map((error) => `<li>${escaped(error)}</li>`).join('')}</ul>`}
</section><section><h2>Outcome</h2>${outcomeTable(report)}
${marks.length === 0 ? '' : `<h2>Injected faults</h2>${faultTable(report)}`}</section></div>
<h2>Over time</h2>
<p class="quiet">Red: time of an injected fault. Each curve has one point per second, or the worst of several seconds.</p>
<div class="plots">${plotsOf(report)
    .map((plot) => plotSvg(plot, frame))
    .join('\n')}</div>
<div class="side"><section><h2>Times</h2>${timesTable(report)}</section>
<section><h2>Processes</h2>${processTable(report)}</section>
<section><h2>Responses of 400 and more</h2>${countTable(report.refusals)}</section>
<section><h2>Warnings and errors logged</h2>${countTable(report.service.troubles)}</section></div>
</html>
`
}

function outcomeTable({ audit, crowd, service, store, files, removal }: Report): string {
  const bytes = (count: number | null) =>
    count === null
      ? 'unknown'
      : `${bytesInWords(count)} (${((100 * count) / Math.max(1, audit.payloadBytes)).toFixed(1)} %)`
  const rows: [string, string][] = [
    ['offered, served', `${audit.offered}, ${audit.served}`],
    ['states', inWords(audit.states)],
    ['rejected for', inWords(audit.rejections)],
    ['connections that broke', String(crowd.breaks)],
    ['resumed by HEAD', String(crowd.resumes)],
    ['retries; manual retries', `${crowd.retries}; ${crowd.gaveUp}`],
    ['payload of served files', bytesInWords(audit.payloadBytes)],
    ['received by the services', bytes(service.receivedBytes)],
    ['sent by the clients', bytes(crowd.sentBytes)],
    ['take-overs, creations shed', `${service.takeOvers}, ${service.shed}`],
    [
      'files hashed in the store',
      store === null ? 'not checked' : `${store.hashed} of ${files.count}, ${store.objects ?? 'uncounted'} objects`,
    ],
    ...(removal === undefined
      ? []
      : [['removed afterwards', `${removal.removed} submissions, ${removal.left.length} not`] as [string, string]]),
    ...(service.s3Calls === null ? [] : [['calls to S3', inWords(service.s3Calls)] as [string, string]]),
  ]
  return table(
    ['', ''],
    rows.map(([name, value]) => [name, escaped(value)]),
    'goals',
  )
}

function faultTable({ marks }: Report): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const rows = marks.map(({ name, fromMs, toMs }) => [escaped(name), seconds(fromMs), seconds(toMs - fromMs)])
  return table(['', 'at', 'recovered in'], rows)
}

function timesTable({ latencies, audit, crowd }: Report): string {
  const spreads: Record<string, Spread> = {
    ...latencies,
    'last byte → verdict': audit.verdicts,
    'last byte → ready': audit.ready,
    'load-generator lag': crowd.generatorLateMs,
    ...generatorLags(crowd),
  }
  const cell = (ms: number | null) => (ms === null ? '–' : timeInWords(ms))
  return table(
    ['', 'count', 'p50', 'p95', 'p99', 'max'],
    Object.entries(spreads).map(([name, { count, p50, p95, p99, max }]) => [
      escaped(name),
      String(count),
      ...[p50, p95, p99, max].map(cell),
    ]),
  )
}

/** Of each generator, where there are several. */
function generatorLags({ generators = [] }: Report['crowd']): Record<string, Spread> {
  if (generators.length < 2) return {}
  return Object.fromEntries(
    generators.map(({ name, clients, lateMs, limitedSeconds }) => [
      `lag of ${name} (${clients} clients${limitedSeconds > 0 ? `; byte limit reached in ${limitedSeconds} s` : ''})`,
      lateMs,
    ]),
  )
}

function processTable({ service: { cpuSeconds, peakRssBytes } }: Report): string {
  return table(
    ['', 'CPU', 'peak RSS'],
    Object.entries(cpuSeconds).map(([name, seconds]) => [
      escaped(name),
      `${seconds.toFixed(1)} s`,
      bytesInWords(peakRssBytes[name] ?? 0),
    ]),
  )
}

function countTable(counts: Record<string, number>): string {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a)
  if (rows.length === 0) return '<p>none</p>'
  return table(
    ['', 'count'],
    rows.slice(0, 30).map(([name, count]) => [escaped(name), String(count)]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[], style = ''): string {
  const cells = (tag: string, row: readonly string[]) => row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')
  const first = head.some((word) => word !== '') ? `<tr>${cells('th', head)}</tr>` : ''
  return `<table class="${style}">${first}${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}</table>`
}

function inWords(counts: Record<string, number>): string {
  const words = Object.entries(counts).map(([word, count]) => `${word} ${count}`)
  return words.length === 0 ? 'none' : words.join(', ')
}
