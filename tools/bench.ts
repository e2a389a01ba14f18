// `npm run bench`: compares Songngan with other servers, in one run on this machine. See `--help`.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { contendersOf, referencesOf } from './bench/contenders.ts'
import { described, machine } from './bench/machine.ts'
import { onRecordMetric } from './bench/metrics/on-record.ts'
import { patchMetric } from './bench/metrics/patch.ts'
import { ratesMetric } from './bench/metrics/rates.ts'
import { s3CallsMetric } from './bench/metrics/s3-calls.ts'
import { slowMetric } from './bench/metrics/slow.ts'
import { takeOverMetric } from './bench/metrics/take-over.ts'
import type { Metric } from './bench/model.ts'
import { type MetricName, type Options, parseOptions, USAGE, UsageError } from './bench/options.ts'
import { chart } from './bench/output/chart.ts'
import { table } from './bench/output/table.ts'
import { hasProc } from './bench/proc.ts'
import { runBench } from './bench/run.ts'
import { startCollector } from './bench/servers/collector.ts'
import { BadCommand } from './bench/servers/given.ts'
import { rowsOf } from './bench/stats.ts'

const EXIT_USAGE = 2
/** Concurrent PATCHes of the metric `patches`. */
const LANES = 4

function metricsOf(options: Options): Metric[] {
  const { patchBytes, writeBytes, rates, slowClients, slowSeconds, fastBytes } = options
  const all: Record<MetricName, () => Metric> = {
    patch: () => patchMetric({ bytes: patchBytes, rounds: options.patchRounds, writeBytes, lanes: 1 }),
    'first-patch': () =>
      patchMetric({ bytes: patchBytes, rounds: options.patchesRounds, writeBytes, lanes: 1, first: true }),
    patches: () => patchMetric({ bytes: patchBytes, rounds: options.patchesRounds, writeBytes, lanes: LANES }),
    rates: () => ratesMetric({ names: rates, seconds: options.rateSeconds, rounds: options.rateRounds }),
    's3-calls': s3CallsMetric,
    'take-over': () => takeOverMetric({ rounds: options.takeOverRounds }),
    slow: () => slowMetric({ clients: slowClients, seconds: slowSeconds, fastBytes, rounds: 1 }),
    'on-record': () => onRecordMetric({ levels: options.recordLevels, seconds: options.rateSeconds }),
  }
  return options.metrics.map((name) => all[name]())
}

/** A folder for all servers, deleted when this process ends. */
function ownFolder(dir: string | undefined): void {
  const folder = mkdtempSync(join(resolve(dir ?? tmpdir()), 'songngan-bench-'))
  process.env['TMPDIR'] = folder
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
}

function write(file: string, text: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true })
  writeFileSync(file, text)
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(`${USAGE}\n`)
    return
  }
  if (!hasProc()) throw new UsageError('the bench needs Linux: it reads CPU time and memory from /proc')
  const contenders = contendersOf(options, options.traced ? await startCollector() : undefined)
  const references = referencesOf(contenders)
  const metrics = metricsOf(options)
  ownFolder(options.dir)
  const place = await machine()
  const startedAt = new Date().toISOString()
  const progress = (line: string) => process.stderr.write(`${line}\n`)
  const result = await runBench({ metrics, contenders, limitMs: options.limitMs, progress })

  const tables = metrics.map((metric) => ({
    metric,
    rows: rowsOf(metric, contenders, result.samples, references),
  }))
  const shown = tables.filter(({ rows }) => rows.length > 0)
  process.stdout.write(`\n${described(place)}\n\n`)
  for (const { metric, rows } of shown) process.stdout.write(`${table(metric, rows, references)}\n`)
  if (result.cutShort) process.stdout.write('Later rounds were left out: the time given was over (--minutes).\n')
  for (const { metric, name, store, round, message } of result.failures)
    process.stdout.write(`FAILED: ${metric}, round ${round}, ${name} ${store}: ${message.split('\n')[0]}\n`)
  if (options.json !== undefined) {
    const titles = metrics.map(({ name, title, note, figures }) => ({ name, title, note, figures }))
    const json = { startedAt, machine: place, options, metrics: titles, ...result }
    write(options.json, `${JSON.stringify(json, null, 2)}\n`)
  }
  if (options.chart !== undefined) write(options.chart, chart(shown, { machine: place, startedAt }))
  if (result.failures.length > 0) process.exitCode = 1
}

main()
  .catch((error: unknown) => {
    const known = error instanceof UsageError || error instanceof BadCommand
    process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = known ? EXIT_USAGE : 1
  })
  // A measurement that timed out may still have open requests.
  .finally(() => process.exit())
