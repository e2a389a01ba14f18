import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../src/core/metrics.ts'
import { metricsPage, metricsPageOnDisk } from '../../support/metrics-docs.ts'
import { checkMetrics } from '../../support/promtool.ts'
import { expositionFaults } from './exposition.ts'

describe('metrics', () => {
  it('gives a valid exposition, including process and event-loop metrics', async () => {
    const metrics = createMetrics()
    metrics.uploadErrors.inc({ code: 'OFFSET_MISMATCH', status: 409 })
    metrics.httpRequestDuration.observe({ method: 'GET', route: '/v1/uploads/:id', status: 200 }, 0.02)
    const text = await metrics.text()
    expect(expositionFaults(text)).toEqual([])
    expect(text).toContain('upload_errors_total{code="OFFSET_MISMATCH",status="409"} 1')
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(text).toContain('# TYPE nodejs_eventloop_utilization_ratio gauge')
    expect(checkMetrics(text)).toBe('')
  })

  it('are all documented (npx tsx test/support/metrics-docs.ts writes the page)', () => {
    expect(metricsPageOnDisk()).toBe(metricsPage())
  })

  it('keeps registries apart', async () => {
    const one = createMetrics({ processMetrics: false })
    const two = createMetrics({ processMetrics: false })
    one.uploadsCreated.inc()
    expect(await one.text()).toContain('uploads_created_total 1')
    expect(await two.text()).toContain('uploads_created_total 0')
  })

  it('aggregates several processes: sums for counters, the minimum for free disk space', async () => {
    const [one, two] = [createMetrics({ processMetrics: false }), createMetrics({ processMetrics: false })]
    one.uploadsCreated.inc(2)
    two.uploadsCreated.inc(3)
    one.workdirFree.set(700)
    two.workdirFree.set(500)
    // A message between processes is JSON.
    const text = await one.text([JSON.parse(JSON.stringify(await two.snapshot()))])
    expect(expositionFaults(text)).toEqual([])
    expect(text).toContain('uploads_created_total 5')
    expect(text).toContain('workdir_free_bytes 500')
  })

  it('still answers when a collector fails, and counts the failure', async () => {
    const metrics = createMetrics({ processMetrics: false })
    metrics.onScrape('queues', () => Promise.reject(new Error('Redis is away')))
    metrics.onScrape('disk', () => metrics.workdirFree.set(42))
    const text = await metrics.text()
    expect(text).toContain('workdir_free_bytes 42')
    expect(text).toContain('metrics_collect_errors_total{collector="queues"} 1')
  })
})

describe('the exposition check', () => {
  it('finds what Prometheus refuses or the conventions forbid', () => {
    expect(expositionFaults('a 1\n')).toEqual(['a: no TYPE before its sample'])
    expect(expositionFaults('# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\na 2\n')).toEqual([
      'a: HELP twice',
      'a: TYPE twice',
      'a: sample twice',
    ])
    expect(expositionFaults('# HELP a x\n# TYPE a counter\na 1\n')).toEqual(['a: a counter ends in _total'])
    expect(expositionFaults('# HELP a_total x\n# TYPE a_total counter\na_total one\n')).toEqual(['a_total: value one'])
    expect(expositionFaults('# HELP a x\n# TYPE a gauge\na{b=c} 1\n')).toEqual(['unreadable: a{b=c} 1'])
    expect(expositionFaults('# HELP a x\n# TYPE a gauge\na 1')).toEqual(['no newline at the end'])
  })
})
