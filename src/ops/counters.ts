// What a process has counted since the last call, under short names, read from its metrics:
// nothing is counted twice on the upload path.

import type { Metrics } from '../core/metrics.ts'

/** Name → amount. See `CountedMetrics` for the names. */
export type Counts = Record<string, number>

/**
 * The names of the counts:
 * `created` `finished` `expired` `removed` uploads, `bytes` received, `taken` requests ended by a newer one,
 * `refused:CODE` refused requests, `held:CODE` requests told to retry (423),
 * `verdicts`, `rejected:CODE` rules that files broke, `verdict:SECONDS` those within this many seconds, `job:LANE:OUTCOME`, `webhook:OUTCOME`.
 */
export type CountedMetrics = Pick<
  Metrics,
  | 'uploadsCreated'
  | 'uploadsFinished'
  | 'uploadsExpired'
  | 'uploadsTerminated'
  | 'uploadBytesReceived'
  | 'uploadTakeovers'
  | 'uploadErrors'
  | 'uploadVerdict'
  | 'uploadsRejected'
  | 'jobDuration'
  | 'webhookDeliveries'
>

type Sample = { labels: Partial<Record<string, string | number>>; value: number; metricName?: string }

/** Normal answers of the protocol that a resuming client handles; not counted as refusals. */
const NO_REFUSAL = new Set(['OFFSET_MISMATCH', 'UPLOAD_TAKEN_OVER', 'METHOD_NOT_ALLOWED'])

/** @returns a function that gives the counts since its last call */
export function countsSince(metrics: CountedMetrics): () => Promise<Counts> {
  let before: Counts = {}
  return async () => {
    const now = await totals(metrics)
    const added: Counts = {}
    for (const [name, total] of Object.entries(now)) {
      const more = total - (before[name] ?? 0)
      if (more > 0) added[name] = more
    }
    before = now
    return added
  }
}

async function totals(metrics: CountedMetrics): Promise<Counts> {
  const counts: Counts = {}
  const add = (name: string, value: number) => {
    counts[name] = (counts[name] ?? 0) + value
  }
  const simple = [
    ['created', metrics.uploadsCreated],
    ['finished', metrics.uploadsFinished],
    ['expired', metrics.uploadsExpired],
    ['removed', metrics.uploadsTerminated],
    ['bytes', metrics.uploadBytesReceived],
    ['taken', metrics.uploadTakeovers],
  ] as const
  for (const [name, counter] of simple) for (const { value } of (await counter.get()).values) add(name, value)
  for (const { labels, value } of (await metrics.uploadErrors.get()).values as Sample[]) {
    const code = String(labels['code'])
    if (String(labels['status']) === '423') add(`held:${code}`, value)
    else if (!NO_REFUSAL.has(code)) add(`refused:${code}`, value)
  }
  for (const { labels, value, metricName } of (await metrics.uploadVerdict.get()).values as Sample[]) {
    if (metricName?.endsWith('_count')) add('verdicts', value)
    // Cumulative: the number within `le` seconds.
    if (metricName?.endsWith('_bucket') && labels['le'] !== '+Inf') add(`verdict:${labels['le']}`, value)
  }
  for (const { labels, value } of (await metrics.uploadsRejected.get()).values as Sample[])
    add(`rejected:${labels['code']}`, value)
  for (const { labels, value, metricName } of (await metrics.jobDuration.get()).values as Sample[])
    if (metricName?.endsWith('_count')) add(`job:${labels['queue']}:${labels['outcome']}`, value)
  for (const { labels, value } of (await metrics.webhookDeliveries.get()).values as Sample[])
    add(`webhook:${labels['outcome']}`, value)
  return counts
}

/** Of counts `PREFIX:CODE` those of a prefix, most frequent first. */
export function byCode(counts: Counts, prefix: string): { code: string; count: number }[] {
  return Object.entries(counts)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, count]) => ({ code: name.slice(prefix.length), count }))
    .toSorted((a, b) => b.count - a.count)
}
