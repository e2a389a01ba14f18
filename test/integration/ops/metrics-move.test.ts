// Every metric of the catalogue, seen moving in a real run: one service and one worker in this process, over a bucket
// where an S3 server is at hand. What is scraped is what promtool accepts.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LANES } from '../../../src/jobs/contract.ts'
import { Controls } from '../../../src/ops/controls.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import type { RunningWorkers } from '../../../workers/registry.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { pdfBytes } from '../../support/media/pdfs.ts'
import { checkMetrics } from '../../support/promtool.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { s3Available } from '../../support/s3.ts'
import { idOf } from '../../support/tus.ts'
import { expositionFaults } from '../../unit/ops/exposition.ts'
import { sumOf } from './samples.ts'

const kind = s3Available() ? 's3' : 'local'
const MIB = 1024 ** 2

let stack: Environment
let portal: Receiver
let workers: RunningWorkers
let scrape: () => Promise<string>
let skewMs = 0
const state = { started: true, draining: false }

beforeAll(async () => {
  portal = await startReceiver()
  stack = await openEnvironment({
    store: kind,
    lanes: LANES.join(),
    clock: { now: () => Date.now() + skewMs },
    env: {
      WEBHOOK_URL: portal.url,
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      WEBHOOK_ALLOW_PRIVATE: 'true',
      RECEIVE_BUDGET_BYTES: String(2 * MIB),
      PROCESSES: '1',
    },
  })
  const { deps } = stack
  const ops = await buildOpsServer({ ...deps, redis: deps.redis.producer, state })
  scrape = async () => (await ops.inject('/metrics')).body
  workers = await stack.start({ lockMs: 2000, stalledCheckMs: 500 })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await stack.close()
  await portal.close()
})

/** The sum over all samples of a name whose labels hold every one of `labels`. */
async function value(name: string, labels: Record<string, string> = {}): Promise<number> {
  return sumOf(await scrape(), name, labels)
}

/** What has been seen moving, or at a value that it has only where it was set. */
const seen = new Set<string>()

type Wanted = [name: string, labels?: Record<string, string>]

/** Each of these is more after `act` than before; waited for, since workers and webhooks take their time. */
async function moves(wanted: Wanted[], act: () => Promise<unknown>): Promise<void> {
  const before = await scrape()
  await act()
  for (const [name, labels = {}] of wanted) {
    const was = sumOf(before, name, labels)
    seen.add(name.replace(/_count$/, ''))
    await waitFor(async () => (await value(name, labels)) > was, {
      what: `${name}${JSON.stringify(labels)} to move from ${was}`,
    })
  }
}

async function expectValue(name: string, labels: Record<string, string>, wanted: number): Promise<void> {
  seen.add(name)
  expect(await value(name, labels)).toBe(wanted)
}

describe('metrics of a real run', () => {
  it('of an upload, from its creation to its renditions and the webhook', async () => {
    const bytes = pdfBytes({ pages: 2 })
    const s3: Wanted[] =
      kind === 's3' ? [['s3_calls_total', { outcome: 'ok' }], ['s3_call_duration_seconds_count']] : []
    await moves(
      [
        ['http_request_duration_seconds_count', { route: '/files' }],
        ['upload_requests_total', { method: 'POST' }],
        ['uploads_created_total'],
        ['uploads_finished_total'],
        ['upload_bytes_received_total'],
        ['upload_first_byte_seconds_count'],
        ['upload_lock_wait_seconds_count'],
        ['upload_size_bytes_count', { kind: 'pdf' }],
        ['upload_transfer_seconds_count', { kind: 'pdf' }],
        ['upload_verdict_seconds_count'],
        ['upload_ready_seconds_count'],
        ['media_job_duration_seconds_count', { queue: 'validate', outcome: 'done' }],
        ['media_job_duration_seconds_count', { queue: 'notify', outcome: 'done' }],
        ['media_job_wait_seconds_count', { queue: 'transcode' }],
        ['webhook_deliveries_total', { outcome: 'delivered' }],
        ...s3,
      ],
      async () => {
        const user = await stack.user('plan')
        const url = await user.create({ length: bytes.length, name: 'plan.pdf', type: 'application/pdf' })
        expect((await user.patch(url, 0, bytes)).status).toBe(204)
      },
    )
  })

  it('of refused, ended and restarted uploads', async () => {
    await moves(
      [
        ['upload_errors_total', { code: 'OFFSET_MISMATCH', status: '409' }],
        ['upload_restarts_total'],
        ['uploads_terminated_total'],
        ['upload_admission_rejected_total', { reason: 'space' }],
      ],
      async () => {
        const user = await stack.user('plan')
        const bytes = pdfBytes()
        const creation = { length: bytes.length, name: 'again.pdf' }
        const url = await user.create(creation)
        expect((await user.patch(url, 5, bytes)).status).toBe(409)
        expect((await user.patch(url, 0, bytes.subarray(0, 300))).status).toBe(204)
        const second = await user.create(creation)
        expect(idOf(second)).not.toBe(idOf(url))
        expect((await user.remove(second)).status).toBe(204)
        const free = vi.spyOn(stack.deps.store, 'freeBytes').mockResolvedValue(100)
        try {
          // What was asked a moment ago is not asked for every creation.
          await waitFor(async () => (await user.post({ ...creation, length: 10 })).status === 503)
        } finally {
          free.mockRestore()
        }
        await waitFor(async () => (await user.post({ ...creation, length: 10 })).status === 201)
      },
    )
  })

  it('of a file that breaks a rule', async () => {
    const bytes = pdfBytes().subarray(0, 300)
    await moves([['uploads_rejected_total']], async () => {
      const user = await stack.user('plan')
      const url = await user.create({ length: bytes.length, name: 'cut.pdf', type: 'application/pdf' })
      expect((await user.patch(url, 0, bytes)).status).toBe(204)
    })
  })

  it('of a submission whose time is over', async () => {
    try {
      await moves([['deadlines_behind_seconds']], async () => {
        expect((await stack.put('lapses', { deadline: new Date(Date.now() + 60_000).toISOString() })).status).toBe(201)
        skewMs = 120_000
      })
      await moves([['submissions_closed_total', { outcome: 'lapsed' }]], () => stack.deps.deadlineWork.run())
      await expectValue('deadlines_behind_seconds', {}, 0)
    } finally {
      skewMs = 0
    }
  })

  it('does not count another file in the slot as a restart', async () => {
    const user = await stack.user('extras')
    const bytes = pdfBytes()
    const url = await user.create({ length: bytes.length, name: 'one.pdf' })
    expect((await user.patch(url, 0, bytes.subarray(0, 300))).status).toBe(204)
    const before = await value('upload_restarts_total')
    await user.create({ length: bytes.length, name: 'two.pdf' })
    expect(await value('upload_restarts_total')).toBe(before)
  })

  it('of bytes in transit: budget, spool, connections, and a take-over', async () => {
    const user = await stack.user('film')
    const url = await user.create({ length: 20 * MIB, name: 'film.mp4' })
    const head = Buffer.alloc(300_000)
    head.write('\0\0\0\x18ftypisom\0\0\x02\0isomiso2', 'latin1')
    await moves(
      [
        ['uploads_in_flight'],
        ['upload_connections_open'],
        ...(kind === 's3' ? ([['receive_budget_bytes']] as Wanted[]) : []),
      ],
      async () => await user.begin(url, 0, head.length + 1).write(head),
    )
    // More than half of the budget: what is not a whole part goes to disk.
    const other = await stack.user('film')
    const wide = await other.create({ length: 20 * MIB, name: 'wide.mp4' })
    await moves(kind === 's3' ? [['receive_spool_bytes']] : [], async () => {
      const long = Buffer.concat([head, Buffer.alloc(2 * MIB)])
      await other.begin(wide, 0, long.length + 1).write(long)
    })
    await expectValue('receive_budget_limit_bytes', {}, 2 * MIB)
    await expectValue('receive_spool_limit_bytes', {}, stack.deps.config.uploads.spoolMaxBytes)
    await moves([['upload_takeovers_total']], async () => {
      const offset = await user.offset(url)
      expect([204, 409]).toContain((await user.patch(url, offset, Buffer.alloc(1000))).status)
    })
  })
})

describe('metrics of failures', () => {
  const bytes = pdfBytes()
  const uploaded = async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: bytes.length, name: 'trouble.pdf' })
    return { user, url, status: (await user.patch(url, 0, bytes)).status }
  }

  it('a lock that is not released', () =>
    moves([['upload_lock_timeouts_total']], async () => {
      const user = await stack.user('plan')
      const url = await user.create({ length: bytes.length, name: 'locked.pdf' })
      const state = await stack.deps.hot.read(idOf(url))
      if (state === undefined) throw new Error('no state')
      const held = { kind: 'held', fence: 'somebody', channel: 'nowhere', state } as const
      const acquire = vi.spyOn(stack.deps.hot, 'acquire').mockResolvedValue(held)
      expect((await user.patch(url, 0, bytes)).status).toBe(423)
      acquire.mockRestore()
    }))

  it('a failed job that the reconciler queues again', async () => {
    const { inspect } = stack.deps.queues.byLane
    await inspect.pause()
    await moves([['uploads_reconciled_total']], async () => {
      const { url } = await uploaded()
      await waitFor(async () => (await stack.deps.queues.stateOf('inspect', idOf(url), 1)) === 'prioritized')
      // All its attempts would take minutes.
      vi.spyOn(stack.deps.queues, 'stateOf').mockResolvedValueOnce('failed')
      await stack.deps.reconciler.one(idOf(url))
    }).finally(() => inspect.resume())
  })

  it('a job that fails and is retried, one that stalls', () =>
    moves([['media_job_retries_total'], ['media_jobs_stalled_total', { queue: 'validate' }]], async () => {
      vi.spyOn(stack.deps.completion, 'assemble').mockRejectedValueOnce(new Error('the store hiccups'))
      await uploaded()
      // Half a minute of waiting for BullMQ is saved: the real thing is tested with the workers.
      for (const worker of workers.workers) if (worker.name === 'validate') worker.emit('stalled', 'x', 'active')
    }))

  it('a paused lane, and its waiting jobs', async () => {
    const { inspect } = stack.deps.queues.byLane
    await waitFor(async () => (await inspect.getJobCountByTypes('waiting', 'prioritized', 'active')) === 0)
    await moves(
      [
        ['media_queue_paused', { queue: 'inspect' }],
        ['bullmq_jobs', { queue: 'inspect', state: 'prioritized' }],
        ['media_queue_oldest_waiting_seconds', { queue: 'inspect' }],
      ],
      async () => {
        await inspect.pause()
        await uploaded()
      },
    ).finally(() => inspect.resume())
  })

  it('new uploads that an operator closed, and an instance that drains', async () => {
    const controls = new Controls({ ...stack.deps, redis: stack.deps.redis.producer })
    const by = { by: 'tester', from: null }
    await moves([['upload_admission_closed'], ['instance_draining']], async () => {
      await controls.closeAdmission(by, { reason: 'moving disks', retryAfterSeconds: 60 })
      state.draining = true
    })
    await controls.openAdmission(by)
    state.draining = false
    await expectValue('upload_admission_closed', {}, 0)
    await expectValue('instance_draining', {}, 0)
  })

  it('a wrong API key', () =>
    moves([['security_events_total', { event: 'api_key.login', result: 'refused' }]], () =>
      stack.call('GET', '/v1/submissions', { token: 'no-such-key' }),
    ))

  it('an upload that no client resumes', () =>
    moves([['uploads_expired_total']], async () => {
      const user = await stack.user('plan')
      const url = await user.create({ length: bytes.length, name: 'left.pdf' })
      expect((await user.patch(url, 0, bytes.subarray(0, 300))).status).toBe(204)
      skewMs = 80 * 3_600_000
      await stack.deps.reconciler.one(idOf(url)).finally(() => {
        skewMs = 4000
      })
    }))

  it('a collector that fails', () =>
    moves([['metrics_collect_errors_total', { collector: 'broken' }]], () => {
      stack.deps.metrics.onScrape('broken', () => Promise.reject(new Error('broken')))
      return Promise.resolve()
    }))
})

describe('exposition', () => {
  it('lists the metrics', async () => {
    await expectValue('redis_up', {}, 1)
    await expectValue('object_store_up', {}, 1)
    seen.add('clock_skew_seconds')
    expect(Math.abs(await value('clock_skew_seconds'))).toBeLessThan(60)
    await expectValue('media_lane_slots', { queue: 'transcode' }, 1)
    await expectValue('media_tools_fenced', { isolation: 'landlock' }, 1)
    for (const name of ['workdir_free_bytes', 'nodejs_eventloop_utilization_ratio']) {
      seen.add(name)
      expect(await value(name)).toBeGreaterThan(0)
    }
  })

  it('has no metric that the tests above have not seen', () => {
    const ofNode = /^(process_|nodejs_(?!eventloop_utilization))/
    // These move in the tests of rates and of failing lanes; the others only with a bucket.
    const bucket = ['s3_calls_total', 's3_call_duration_seconds', 'receive_spool_bytes', 'receive_budget_bytes']
    const elsewhere = ['rate_limited_total', 'media_jobs_abandoned_total', ...(kind === 's3' ? [] : bucket)]
    const names = stack.deps.metrics.registry.getMetricsAsArray().map(({ name }) => name)
    const unseen = names.filter((name) => !ofNode.test(name) && !seen.has(name) && !elsewhere.includes(name))
    expect(unseen).toEqual([])
  })

  it('is accepted by promtool and by our own check', async () => {
    const text = await scrape()
    expect(expositionFaults(text)).toEqual([])
    expect(checkMetrics(text)).toBe('')
  })
})
