// Writes all reports of a folder as one table into its README, between two marks, and the pictures of the README.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesInWords, timeInWords } from '../../lib/words.ts'
import { SCENARIOS } from '../scenarios.ts'
import { plotSvg } from './plot.ts'
import { lastSecond, plotsOf } from './plots.ts'
import type { Report } from './report.ts'

const BEGIN = '<!-- results: written by npm run rehearse -->'
const END = '<!-- end of results -->'
/** Plots that are also written as files, by the title in the report. */
const PICTURES: Record<string, string> = {
  'Arrivals and completed uploads': 'load',
  'Latency, p95 of each second': 'latency',
}
const PICTURED = 'deadline'

/** Does nothing if the folder has no README with the marks. */
export async function writeOverview(dir: string): Promise<void> {
  const path = join(dir, 'README.md')
  const text = await readFile(path, 'utf8').catch(() => '')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) return
  const reports = await reportsIn(dir)
  await writeFile(path, `${text.slice(0, begin + BEGIN.length)}\n${tableOf(reports)}\n${text.slice(end)}`)
  const pictured = reports.find(({ scenario }) => scenario.name === PICTURED)
  if (pictured === undefined) return
  const frame = { seconds: lastSecond(pictured), marks: pictured.marks }
  for (const plot of plotsOf(pictured)) {
    const name = PICTURES[plot.title]
    if (name !== undefined) await writeFile(join(dir, `${PICTURED}-${name}.svg`), `${plotSvg(plot, frame, true)}\n`)
  }
}

async function reportsIn(dir: string): Promise<Report[]> {
  const there = new Set(await readdir(dir))
  const files = SCENARIOS.map(({ name }) => `${name}.json`).filter((file) => there.has(file))
  return await Promise.all(files.map(async (file) => JSON.parse(await readFile(join(dir, file), 'utf8')) as Report))
}

function tableOf(reports: readonly Report[]): string {
  const head = [
    'scenario',
    'clients, files',
    'lost, duplicated, restarted',
    'received',
    'POST p95',
    'HEAD p99',
    'PATCH p95',
    'verdict p95',
    'resumed',
    'peak RSS of a service',
    'goals',
  ]
  const row = (report: Report): string[] => {
    const { scenario, audit, latencies, crowd, service, goals, files } = report
    const peaks = Object.entries(service.peakRssBytes).filter(([name]) => name.startsWith('service'))
    const missed = goals.filter(({ met }) => !met).map(({ name }) => name)
    const received = service.receivedBytes === null ? '?' : (service.receivedBytes / audit.payloadBytes).toFixed(3)
    return [
      `[${scenario.name}](${scenario.name}.html)`,
      `${audit.offered}, ${bytesInWords(files.bytes)}`,
      `${audit.lost}, ${audit.duplicated}, ${audit.restartedFromZero}`,
      `${received} ×`,
      time(latencies['POST']?.p95),
      time(latencies['HEAD']?.p99),
      time(latencies['PATCH']?.p95),
      time(audit.verdicts.p95),
      String(crowd.resumes),
      bytesInWords(Math.max(0, ...peaks.map(([, bytes]) => bytes))),
      missed.length === 0 ? 'met' : `missed: ${missed.join(', ')}`,
    ]
  }
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...reports.map((one) => line(row(one)))].join('\n')
}

function time(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? '–' : timeInWords(ms)
}
