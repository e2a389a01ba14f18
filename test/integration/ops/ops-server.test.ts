import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { createMetrics } from '../../../src/core/metrics.ts'
import { Queues } from '../../../src/jobs/queues.ts'
import { buildOpsServer, type OpsDeps } from '../../../src/ops/ops-server.ts'
import { listen } from '../../support/app.ts'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { draftFor, SECRETS } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { expositionFaults } from '../../unit/ops/exposition.ts'

const PASSWORD = 'only for operators'

let stack: Environment
let queues: Queues

beforeAll(async () => {
  stack = await openEnvironment({ listens: false })
  queues = new Queues(stack.connect('jobs'), stack.deps.logger)
})
afterAll(async () => {
  await queues.close()
  await stack.close()
})
beforeEach(async () => {
  await Promise.all(Object.values(queues.byLane).map((queue) => queue.obliterate({ force: true })))
})

async function startOps(env: Record<string, string> = {}, change: Partial<OpsDeps> = {}) {
  const { logger, clock, store, securityLog, credentialGuard } = stack.deps
  const redis = stack.deps.redis.hot
  const config = loadConfig({
    REDIS_URL: stack.redis.url,
    TICKET_SECRET: SECRETS[0],
    DATA_DIR: stack.dataDir,
    PUBLIC_URL: 'https://songngan.example',
    OPS_PASSWORD: PASSWORD,
    ...env,
  })
  const metrics = createMetrics({ processMetrics: false })
  const state = { started: true, draining: false }
  const redisWatch = { skewMs: () => 0, refusal: () => undefined }
  const app = await buildOpsServer({
    config,
    redisWatch,
    logger,
    clock,
    metrics,
    redis,
    store,
    queues,
    securityLog,
    credentialGuard,
    state,
    ...change,
  })
  const url = await listen(app)
  onTestFinished(() => app.close())
  const get = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const answer = await fetch(url + path, { headers, redirect: 'manual', ...init })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
  return { url, get, metrics, state, app }
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})
const operator = basic('ops', PASSWORD)

describe('health', () => {
  it('is live during every outage, and ready by its own state only', async () => {
    const away = { set: () => Promise.reject(new Error('away')) }
    const { get, state } = await startOps({}, { redis: away as never })
    expect((await get('/health/live')).status).toBe(200)
    expect((await get('/health/ready')).status).toBe(200)
    state.started = false
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      text: expect.stringContaining('starting'),
    })
    state.started = true
    state.draining = true
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      text: expect.stringContaining('draining'),
    })
    expect((await get('/health/live')).status).toBe(200)
  })

  it('is ready before the data directory has been made', async () => {
    const { get } = await startOps({ DATA_DIR: `${stack.dataDir}/not/yet` })
    expect((await get('/health/ready')).status).toBe(200)
  })

  it('shows details, and never reports ok during a failure', async () => {
    await queues.enqueue('validate', { uploadId: 'u', generation: 1 })
    const { get } = await startOps()
    const well = await get('/health/details')
    expect(well.status).toBe(200)
    expect(JSON.parse(well.text)).toMatchObject({
      status: 'ok',
      process: { started: true, draining: false },
      redis: { up: true },
      store: { kind: 'local', up: true },
      security: { operatorPages: 'read-only', wrongCredentialsPerMinute: 10, logDays: 90, uploadsNeed: 'ticket' },
      queues: { validate: { counts: { prioritized: 1 } }, transcode: { oldestWaitingSeconds: 0 } },
    })
    const store = {
      ...stack.deps.store,
      kind: 'local' as const,
      freeBytes: () => Promise.reject(new Error('gone')),
    }
    const ill = await startOps({}, { store: { ...store, head: () => Promise.reject(new Error('no such host')) } })
    const told = await ill.get('/health/details')
    expect(told.status).toBe(503)
    expect(JSON.parse(told.text)).toMatchObject({
      status: 'degraded',
      store: { up: false, error: 'no such host', freeBytes: null },
    })
  })

  it('does not hang if Redis hangs', async () => {
    const { get } = await startOps({}, { redis: { set: () => new Promise(() => undefined) } as never })
    const told = await get('/health/details')
    expect(told.status).toBe(503)
    expect(JSON.parse(told.text)).toMatchObject({ redis: { up: false }, queues: null })
  })
})

describe('metrics', () => {
  it('are well-formed, with queues by state and the age of the oldest waiting job', async () => {
    const now = Date.now()
    const { transcode, notify, inspect } = queues.byLane
    // Waiting longest is the job of the lowest priority, which will be taken last.
    await transcode.add('a', {}, { priority: 5000, timestamp: now - 500_000 })
    await transcode.add('b', {}, { priority: 5000, timestamp: now - 300_000 })
    await transcode.add('c', {}, { priority: 1, timestamp: now - 1000 })
    await inspect.add('d', {}, { timestamp: now - 70_000 })
    await inspect.add('e', {}, { timestamp: now - 60_000 })
    await notify.add('f', {}, { delay: 60_000, timestamp: now - 900_000 })
    const { get } = await startOps({}, { clock: { now: () => now } })
    const { status, headers, text } = await get('/metrics')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(expositionFaults(text)).toEqual([])
    const lines = text.split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'bullmq_jobs{queue="transcode",state="prioritized"} 3',
        'bullmq_jobs{queue="inspect",state="waiting"} 2',
        'bullmq_jobs{queue="notify",state="delayed"} 1',
        'bullmq_jobs{queue="validate",state="failed"} 0',
        'media_queue_oldest_waiting_seconds{queue="transcode"} 500',
        'media_queue_oldest_waiting_seconds{queue="inspect"} 70',
        'media_queue_oldest_waiting_seconds{queue="notify"} 0',
        'media_queue_oldest_waiting_seconds{queue="validate"} 0',
        'redis_up 1',
        'object_store_up 1',
      ]),
    )
    expect(Number(/^workdir_free_bytes (\d+)/m.exec(text)?.[1])).toBeGreaterThan(0)
  })

  it('finds the oldest job among many priorities, also where the last one has it', async () => {
    const now = Date.now()
    const { validate } = queues.byLane
    for (let priority = 1; priority <= 300; priority++)
      await validate.add('x', {}, { priority, timestamp: now - (priority === 300 ? 90_000 : priority * 100) })
    const { get } = await startOps({}, { clock: { now: () => now } })
    expect((await get('/metrics')).text).toContain('media_queue_oldest_waiting_seconds{queue="validate"} 90\n')
  })

  it('are available while Redis hangs, without old values of queues', async () => {
    const { get, metrics } = await startOps()
    await get('/metrics')
    stack.redis.pause()
    onTestFinished(() => stack.redis.resume())
    const { text } = await get('/metrics')
    expect(text).toContain('redis_up 0')
    expect(text).toContain('metrics_collect_errors_total{collector="queues"} 1')
    expect(text).not.toContain('bullmq_jobs{')
    expect(await metrics.text([])).toContain('object_store_up 1')
  })

  it('include the other processes of the service', async () => {
    const other = createMetrics({ processMetrics: false })
    other.uploadsCreated.inc(5)
    other.queueJobs.set({ queue: 'validate', state: 'waiting' }, 2)
    await queues.byLane.validate.add('x', {})
    await queues.byLane.validate.add('y', {})
    const { get, metrics } = await startOps({}, { siblings: async () => [await other.snapshot()] })
    metrics.uploadsCreated.inc(1)
    const { text } = await get('/metrics')
    expect(expositionFaults(text)).toEqual([])
    expect(text).toContain('uploads_created_total 6\n')
    // Every process sees the same queues: they are not added up.
    expect(text).toContain('bullmq_jobs{queue="validate",state="waiting"} 2\n')
  })
})

describe('the queue dashboard', () => {
  it('is off without a password, and the page says how to enable it', async () => {
    const { get } = await startOps({ OPS_PASSWORD: '' })
    for (const path of ['/queues', '/queues/api/queues']) {
      const { status, text } = await get(path, operator)
      expect([status, text]).toEqual([404, expect.stringContaining('Set OPS_PASSWORD')])
    }
  })

  it.each([
    ['nothing', {}],
    ['a wrong password', basic('ops', 'guess')],
    ['a wrong user', basic('root', PASSWORD)],
    ['an empty password', basic('ops', '')],
  ])('asks for credentials on %s', async (_what, headers) => {
    const { get } = await startOps()
    for (const path of ['/queues', '/queues/', '/queues/api/queues', '/queues/static/js/x.js']) {
      const answer = await get(path, headers as Record<string, string>)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('Basic realm="songngan"')
    }
  })

  it('does not change the other routes of the listener', async () => {
    const { get } = await startOps()
    expect((await get('/health/live')).status).toBe(200)
    expect((await get('/metrics')).status).toBe(200)
    const front = await get('/')
    expect(front.headers.get('content-type')).toBe('text/html; charset=utf-8')
    for (const path of ['/health/live', '/health/details', '/metrics', '/console', '/control', '/queues'])
      expect(front.text).toContain(`href="${path}"`)
    expect(front.headers.get('www-authenticate')).toBeNull()
  })

  it('describes the lanes, links to the upload and hides credentials', async () => {
    const uploadId = draftFor('S-1').id
    await queues.enqueue('transcode', { uploadId, generation: 1 }, { jobId: 'transcode-x-g1' })
    const url = 'https://portal.example/hook?token=abc'
    const body = '{}'
    await queues.enqueue(
      'notify',
      { owner: 'p', url, eventId: `evt_${uploadId}_2`, timestamp: '2026-11-21T08:00:00.000Z', body },
      { jobId: 'notify-x' },
    )
    const job = await queues.byLane.notify.getJob('notify-x')
    await job?.log('posted to https://user:pw@portal.example with whsec_c2VjcmV0')
    const { get } = await startOps()
    const list = JSON.parse((await get('/queues/api/queues?activeQueue=transcode', operator)).text)
    const transcode = list.queues.find(({ name }: { name: string }) => name === 'transcode')
    expect(transcode).toMatchObject({
      readOnlyMode: true,
      description: expect.stringContaining('Renditions'),
    })
    const one = JSON.parse((await get('/queues/api/queues/notify/notify-x', operator)).text)
    expect(one.job.data).toEqual({
      owner: 'p',
      url: 'https://portal.example/hook?token=[redacted]',
      eventId: `evt_${uploadId}_2`,
      timestamp: '2026-11-21T08:00:00.000Z',
      body,
    })
    expect(one.job.externalUrl).toEqual({
      displayText: 'Upload',
      href: `/console#find=${uploadId}`,
    })
    const logs = await get('/queues/api/queues/notify/notify-x/logs', operator)
    expect(JSON.parse(logs.text)).toEqual(['posted to https://[redacted]@portal.example with [redacted]'])
  })

  it('changes nothing unless configured to', async () => {
    await queues.enqueue('transcode', { uploadId: 'u', generation: 1 }, { jobId: 'keep-1' })
    const readOnly = await startOps()
    const pause = { method: 'PUT' }
    expect((await readOnly.get('/queues/api/queues/transcode/pause', operator, pause)).status).toBe(405)
    expect((await readOnly.get('/queues/api/queues/transcode/keep-1/clean', operator, pause)).status).toBe(405)
    expect(await queues.byLane.transcode.isPaused()).toBe(false)
    expect(await queues.byLane.transcode.getJob('keep-1')).toBeDefined()
    const writable = await startOps({ OPS_READ_ONLY: 'false' })
    const paused = await writable.get('/queues/api/queues/transcode/pause', operator, pause)
    expect(paused.status).toBe(200)
    expect(await queues.byLane.transcode.isPaused()).toBe(true)
  })

  it('refuses requests from other sites, and jobs created by hand', async () => {
    await queues.enqueue('transcode', { uploadId: 'u', generation: 1 }, { jobId: 'keep-2' })
    const { get } = await startOps({ OPS_READ_ONLY: 'false' })
    const foreign = { ...operator, 'sec-fetch-site': 'cross-site' }
    const put = { method: 'PUT' }
    expect((await get('/queues/api/queues/transcode/pause', foreign, put)).status).toBe(403)
    expect(await queues.byLane.transcode.isPaused()).toBe(false)
    const json = { ...operator, 'content-type': 'application/json' }
    const data = { jobData: { uploadId: 'other' } }
    const patch = { method: 'PATCH', body: JSON.stringify(data) }
    expect((await get('/queues/api/queues/transcode/keep-2/update-data', json, patch)).status).toBe(403)
    expect((await queues.byLane.transcode.getJob('keep-2'))?.data).toMatchObject({ uploadId: 'u' })
  })
})

describe.skipIf(!chromiumAvailable())('the queue dashboard in a browser', () => {
  it('shows every lane, and loads nothing from other hosts', async () => {
    const { url } = await startOps()
    const browser = await startChromium()
    onTestFinished(() => browser.close())
    const context = await browser.newContext({ httpCredentials: { username: 'ops', password: PASSWORD } })
    const page = await context.newPage()
    const foreign: string[] = []
    page.on('requestfinished', (request) => {
      if (!request.url().startsWith(url)) foreign.push(`fetched ${request.url()}`)
    })
    page.on('requestfailed', (request) => {
      // One that its policy forbids never leaves the browser.
      if (!request.url().startsWith(url) && request.failure()?.errorText !== 'csp')
        foreign.push(`${request.failure()?.errorText} ${request.url()}`)
    })
    await page.goto(`${url}/queues`)
    for (const lane of ['validate', 'inspect', 'transcode', 'notify', 'maintain'])
      await waitFor(async () => (await page.textContent('body'))?.includes(lane), {
        what: `${lane} to be shown`,
      })
    expect(foreign).toEqual([])
  })
})
