// What the documentation says of metrics, made from the catalogue itself.
// `npx tsx test/support/metrics-docs.ts` writes docs/metrics.md; a test fails where it differs.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metric } from 'prom-client'
import { createMetrics } from '../../src/core/metrics.ts'

const PATH = join(import.meta.dirname, '../../docs/metrics.md')

const HEAD = `# Metrics

\`/metrics\` on the operations listener of every service and worker, in the Prometheus text format. A service with several processes
answers for all of them. Made by \`npx tsx test/support/metrics-docs.ts\`; alerts are in \`docker/prometheus/rules.yml\`, what to do about
them in [runbook.md](runbook.md), a dashboard in \`docker/grafana/dashboard.json\`.

Gauges of queues, Redis and the object store are told by every process alike: take \`max by (queue)\`, never \`sum\`. Labels are closed sets;
no id, name or address is ever one. What users feel, and which metric says it:

| question | metric |
|---|---|
| does a line get going quickly? | \`upload_first_byte_seconds\` |
| does anybody start over? | \`upload_restarts_total\`: a file of the same name and length is unfinished in the same slot, with bytes of it stored |
| do broken lines go on? | \`upload_takeovers_total\`, \`upload_lock_wait_seconds\` |
| is anybody turned away? | \`upload_admission_rejected_total\`, \`rate_limited_total\` |
| how long until the verdict? | \`upload_verdict_seconds\`, and while it lasts \`media_queue_oldest_waiting_seconds{queue="validate"}\` |
| how much memory is held for slow lines? | \`receive_budget_bytes\` of \`receive_budget_limit_bytes\`, then \`receive_spool_bytes\` |
| what does an upload cost the bucket? | \`s3_calls_total\` / \`uploads_finished_total\`, recorded as \`songngan:s3_calls_per_upload:ratio_rate15m\` |

`

/** The whole page. */
export function metricsPage(): string {
  const metrics = createMetrics({ processMetrics: false }).registry.getMetricsAsArray()
  const rows = metrics.map((metric) => {
    // Declared by each kind of metric for itself, not by their common type.
    const {
      name,
      help,
      labelNames = [],
    } = metric as unknown as {
      name: string
      help: string
      labelNames?: string[]
    }
    const labels = labelNames.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${typeOf(metric)} | ${labels} | ${help} |`
  })
  const table = ['| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...rows].join('\n')
  return `${HEAD}${table}\n\nBeside these, \`process_*\` and \`nodejs_*\` as prom-client names them.\n`
}

function typeOf(metric: unknown): string {
  return (metric as Metric).constructor.name.toLowerCase()
}

/** The page as it stands in the repository. */
export function metricsPageOnDisk(): string {
  return readFileSync(PATH, 'utf8')
}

if (process.argv[1] === import.meta.filename) writeFileSync(PATH, metricsPage())
