// The alerts of docker/prometheus: each fires once under promtool, says in plain words what to do, and is in the
// runbook; each, and each panel of the dashboard, speaks of metrics that exist.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { createMetrics } from '../../../src/core/metrics.ts'
import { FIRINGS, type Firing } from '../../support/alerts.ts'
import { promtool, promtoolAvailable, RULES } from '../../support/promtool.ts'

const ROOT = join(import.meta.dirname, '../../..')

type Annotations = { summary: string; description: string; runbook: string }
type Rule = {
  alert?: string
  record?: string
  expr: string
  labels?: { severity: string }
  annotations?: Annotations
}

const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
)
const alerts = rules.filter(({ alert }) => alert !== undefined) as Required<Rule>[]

/** Every name that a scrape may hold, those of histograms with their endings. */
function known(): Set<string> {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .flatMap(({ name }) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`])
  return new Set([...names, 'up', ...rules.flatMap(({ record }) => record ?? [])])
}

/** Names of series in an expression; words before a bracket are functions, words in `by (…)` and `{…}` labels. */
function namesIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|on|without)\s*\([^)]*\)/g, '')
  return [...bare.matchAll(/[a-z_][\w:]*(?!\w*\s*\()/gi)]
    .map(([name]) => name)
    .filter((name) => !/^(unless|and|or|offset|by|on|e\d+|[hms]|m)$/.test(name) && !/^\d/.test(name))
}

/** As Prometheus writes an annotation for this firing. */
function rendered(text: string, { labels = {}, value }: Firing): string {
  return text
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_all, label: string) => labels[label] ?? `no label ${label}`)
    .replace(/\{\{ \$value[^}]*\}\}/g, () => value ?? 'no value')
}

describe('every alert', () => {
  it('fires in a row of the table', () => {
    expect(FIRINGS.map(({ alert }) => alert)).toEqual(alerts.map(({ alert }) => alert))
  })

  it.each(alerts.map((rule) => [rule.alert, rule] as const))('%s names the first action', (_name, rule) => {
    const { summary, description, runbook } = rule.annotations
    expect(['page', 'warn']).toContain(rule.labels.severity)
    expect(summary.length).toBeLessThan(100)
    // What it means for people, then what to do.
    expect(description).toMatch(/^[A-Z].*[.;] First: \S.*\.?$/)
    const [, anchor] = /^docs\/runbook\.md#([\w-]+)$/.exec(runbook) ?? []
    const chapters = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8').split(/^## /m)
    const chapter = chapters.find((text) => slug(text.split('\n', 1)[0] ?? '') === anchor)
    expect(chapter).toContain(rule.alert)
    for (const part of ['Users notice', 'Confirm', 'Do', 'is over'])
      expect(chapter?.replaceAll('\n', ' '), part).toContain(part)
  })

  it.each(rules.map((rule) => [rule.alert ?? rule.record ?? '', rule.expr] as const))(
    '%s uses metrics that exist',
    (_name, expression) => {
      const names = namesIn(expression)
      expect(names.length).toBeGreaterThan(0)
      expect(names.filter((name) => !known().has(name))).toEqual([])
    },
  )
})

describe.skipIf(!promtoolAvailable())('promtool', () => {
  it('accepts the rules', () => {
    expect(promtool('check', 'rules', RULES)).toMatchObject({ status: 0 })
  })

  it('fires every alert once, with its text, and none in quiet hours', () => {
    const folder = mkdtempSync(join(tmpdir(), 'songngan-alerts-'))
    try {
      const file = join(folder, 'alerts.test.yml')
      writeFileSync(file, stringify(unitTests()))
      expect(promtool('test', 'rules', file)).toEqual({
        status: 0,
        output: expect.stringContaining('SUCCESS'),
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

function unitTests() {
  const series = (values: Record<string, string>) =>
    Object.entries(values).map(([name, text]) => ({ series: name, values: text }))
  const fired = FIRINGS.map((firing) => {
    const rule = alerts.find(({ alert }) => alert === firing.alert)
    if (rule === undefined) throw new Error(`no rule ${firing.alert}`)
    const texts = Object.entries(rule.annotations).map(([name, text]) => [name, rendered(text, firing)])
    const expected = {
      exp_labels: { ...rule.labels, ...firing.labels },
      exp_annotations: Object.fromEntries(texts) as Annotations,
    }
    return {
      name: firing.alert,
      interval: '1m',
      input_series: series(firing.series),
      alert_rule_test: [
        // Whatever has a `for` waits for it: nothing in the first second.
        { eval_time: '0s', alertname: firing.alert, exp_alerts: [] },
        { eval_time: `${firing.at}m`, alertname: firing.alert, exp_alerts: [expected] },
      ],
    }
  })
  const quiet = {
    name: 'quiet hours',
    interval: '1m',
    input_series: series(QUIET),
    alert_rule_test: alerts.map(({ alert }) => ({ eval_time: '50m', alertname: alert, exp_alerts: [] })),
  }
  return { rule_files: [RULES], evaluation_interval: '1m', tests: [...fired, quiet] }
}

/** An evening on which all is well, with every metric at some ordinary value. */
const QUIET: Record<string, string> = {
  'up{job="songngan-service", instance="s1"}': '1x60',
  'up{job="songngan-worker", instance="w1"}': '1x60',
  'upload_admission_rejected_total{reason="draining"}': '0+90x60',
  'uploads_created_total{instance="s1"}': '0+100x60',
  'upload_admission_closed{instance="s1"}': '0x60',
  'instance_draining{job="songngan-service", instance="s1"}': '0x60',
  // One that is drained for a while before it is stopped.
  'instance_draining{job="songngan-service", instance="s2"}': '0x10 1x15 0x35',
  'uploads_finished_total{instance="s1"}': '0+100x60',
  'http_request_duration_seconds_bucket{method="HEAD", route="/files/*", le="0.1"}': '0+60x60',
  'http_request_duration_seconds_bucket{method="HEAD", route="/files/*", le="+Inf"}': '0+60x60',
  'http_request_duration_seconds_count{status="204"}': '0+60x60',
  'nodejs_eventloop_utilization_ratio{job="songngan-service", instance="s1"}': '0.5x60',
  'upload_restarts_total{instance="s1"}': '3x60',
  'upload_lock_timeouts_total{instance="s1"}': '2x60',
  'receive_budget_bytes{instance="s1"}': '50x60',
  'receive_budget_limit_bytes{instance="s1"}': '100x60',
  'receive_spool_bytes{instance="s1"}': '1x60',
  'receive_spool_limit_bytes{instance="s1"}': '10x60',
  'workdir_free_bytes{instance="s1"}': `${2 ** 40}x60`,
  'process_resident_memory_bytes{job="songngan-service", instance="s1"}': '3e8x60',
  'redis_up{instance="s1"}': '1x60',
  'clock_skew_seconds{instance="s1"}': '-0.3x60',
  // One process that cannot reach it is that one's trouble.
  'redis_up{instance="w1"}': '0x60',
  'object_store_up{instance="s1"}': '1x60',
  's3_calls_total{operation="PutObject", outcome="ok"}': '0+100x60',
  's3_calls_total{operation="PutObject", outcome="error"}': '0x60',
  's3_call_duration_seconds_bucket{operation="UploadPart", le="0.5"}': '0+60x60',
  's3_call_duration_seconds_bucket{operation="UploadPart", le="+Inf"}': '0+60x60',
  'media_queue_oldest_waiting_seconds{queue="validate"}': '2x60',
  'media_queue_oldest_waiting_seconds{queue="transcode"}': '300x60',
  'bullmq_jobs{queue="validate", state="prioritized"}': '2x60',
  'bullmq_jobs{queue="validate", state="failed"}': '3x60',
  'media_lane_slots{queue="validate"}': '8x60',
  'media_queue_paused{queue="validate"}': '0x60',
  'media_jobs_stalled_total{queue="validate"}': '1x60',
  'uploads_reconciled_total{from_state="stored"}': '4x60',
  'webhook_deliveries_total{outcome="delivered"}': '0+60x60',
  'webhook_deliveries_total{outcome="rejected"}': '0+1x60',
  // After a loss of Redis: what was delivered before is queued again, and not posted.
  'webhook_deliveries_total{outcome="repeated"}': '0+90x60',
  'bullmq_jobs{queue="notify", state="delayed"}': '5x60',
  'metrics_collect_errors_total{instance="s1", collector="queues"}': '1x60',
  'rate_limited_total{what="creation"}': '3x60',
}

describe('the dashboard', () => {
  type Panel = { title: string; description?: string; targets?: { expr: string }[]; panels?: Panel[] }
  const board = JSON.parse(readFileSync(join(ROOT, 'docker/grafana/dashboard.json'), 'utf8')) as {
    panels: Panel[]
    uid: string
    schemaVersion: number
  }
  const panels = board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])
  const asking = panels.filter(({ targets }) => targets !== undefined)

  it('uses metrics that exist, and describes each panel', () => {
    expect(asking.length).toBeGreaterThan(10)
    for (const { title, description, targets } of asking) {
      expect(description, title).toMatch(/\S/)
      for (const { expr } of targets ?? [])
        expect(
          namesIn(expr).filter((name) => !known().has(name)),
          title,
        ).toEqual([])
    }
  })

  it.skipIf(!promtoolAvailable())('has expressions that Prometheus can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'songngan-board-'))
    try {
      const file = join(folder, 'board.yml')
      const expressions = asking.flatMap(({ targets }) => targets ?? [])
      const asRules = expressions.map(({ expr }, number) => ({ record: `panel:${number}`, expr }))
      writeFileSync(file, stringify({ groups: [{ name: 'board', rules: asRules }] }))
      expect(promtool('check', 'rules', file)).toMatchObject({ status: 0 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

function slug(heading: string): string {
  return heading.trim().toLowerCase().replace(/ /g, '-')
}
