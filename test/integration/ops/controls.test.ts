// What operators switch, over two services and two workers on one Redis: in force on all of them, over restarts, and for
// those who may.

import { Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { type Attached, attach } from '../../../src/ops/attach.ts'
import { instanceName } from '../../../src/ops/control-watch.ts'
import { Controls } from '../../../src/ops/controls.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { applyControls } from '../../../workers/lane-controller.ts'
import { listen } from '../../support/app.ts'
import { pdfBytes } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { at, tusUser } from '../../support/tus.ts'

const PASSWORD = 'only for operators'
const BY = { by: 'tester', from: null }

let one: Environment
let two: Environment
const attached: Attached[] = []

/** What a service does for operators beside its requests. */
const asService = async (stack: Environment) => {
  const done = await attach(stack.deps, 'service', ({ admission, draining }) => {
    stack.deps.admission.setClosed(admission)
    stack.deps.admission.setDraining(draining)
  })
  attached.push(done)
  return done
}

const controlsOf = ({ deps }: Environment) => new Controls({ ...deps, redis: deps.redis.producer })

beforeAll(async () => {
  one = await openEnvironment({ env: { OPS_PORT: '19001' } })
  two = await openEnvironment({ env: { OPS_PORT: '19002' }, redis: one.redis, dataDir: one.dataDir })
  await Promise.all([one, two].map(asService))
})
afterEach(async () => {
  const controls = controlsOf(one)
  await controls.openAdmission(BY)
  await waitFor(async () => (await post(two)).status === 201, { what: 'the door to be open' })
})
afterAll(async () => {
  await Promise.all(attached.map((each) => each.stop()))
  await two.close()
  await one.close()
})

const post = async (stack: Environment) => {
  const id = await stack.submission()
  const answer = await tusUser(stack.url, await stack.ticket(id, 'plan')).post({ length: 10, name: 'a.pdf' })
  return Object.assign(answer, { submissionId: id })
}

async function startOps(stack: Environment, env: { readOnly?: boolean; password?: string | undefined } = {}) {
  const ops = { ...stack.deps.config.ops, password: PASSWORD, readOnly: false, ...env }
  const app = await buildOpsServer({
    ...stack.deps,
    config: { ...stack.deps.config, ops },
    redis: stack.deps.redis.producer,
    state: { started: true, draining: false },
  })
  const url = await listen(app)
  onTestFinished(() => app.close())
  const basic = `Basic ${Buffer.from(`ops:${PASSWORD}`).toString('base64')}`
  return async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        authorization: basic,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : { text } }
  }
}

describe('new uploads', () => {
  it('are refused by every service with the reason and a time, recorded as attempts; running ones continue', async () => {
    const bytes = pdfBytes(30_000)
    const user = await one.user('plan')
    const running = await user.create({ length: bytes.length, name: 'a.pdf' })
    const call = await startOps(one)
    const closed = { open: false, reason: 'ย้ายดิสก์', retryAfterSeconds: 100 }
    expect((await call('PUT', '/control/admission', closed)).body.admission).toMatchObject(closed)

    for (const stack of [one, two]) {
      const refused = await waitFor(async () => {
        const answer = await post(stack)
        return answer.status === 503 && answer
      })
      expect(refused.problem).toMatchObject({ code: 'ADMISSION_CLOSED', reason: 'ย้ายดิสก์', status: 503 })
      const seconds = Number(refused.headers['retry-after'])
      expect(seconds).toBeGreaterThanOrEqual(100)
      expect(seconds).toBeLessThan(200)
      const noted = await stack.deps.attempts.list('portal', refused.submissionId)
      expect(noted).toMatchObject([{ outcome: 'refused', code: 'ADMISSION_CLOSED', slot: 'plan' }])
    }
    expect((await user.patch(at(one.url, running), 0, bytes)).status).toBe(204)

    // A service that starts while it is closed refuses from its first request on.
    const three = await openEnvironment({ redis: one.redis, dataDir: one.dataDir, env: { OPS_PORT: '19003' } })
    onTestFinished(() => three.close())
    const attachedThree = await asService(three)
    onTestFinished(() => attachedThree.stop())
    expect((await post(three)).problem?.code).toBe('ADMISSION_CLOSED')

    expect((await call('PUT', '/control/admission', { open: true })).body.admission).toEqual({ open: true })
    for (const stack of [one, two, three]) await waitFor(async () => (await post(stack)).status === 201)
  })

  it('are refused by a draining instance, until draining is cancelled', async () => {
    const call = await startOps(one)
    const instance = instanceName(one.deps.config.ops)
    // Both services are one process here, with one heartbeat: each counts as the last.
    const drain = { draining: true, evenLast: true }
    expect((await call('PUT', '/control/drain', drain)).body.drains).toHaveProperty([instance])
    await waitFor(async () => (await post(one)).problem?.code === 'DRAINING')
    expect((await post(two)).status).toBe(201)
    await call('PUT', '/control/drain', { draining: false, instance })
    await waitFor(async () => (await post(one)).status === 201)
  })
})

describe('a lane', () => {
  it('is paused, resumed and given another concurrency on all running workers, and after restarts', async () => {
    const done: string[] = []
    const startWorker = async (stack: Environment) => {
      const worker = new Worker('transcode', async ({ id }) => void done.push(String(id)), {
        connection: stack.deps.redis.jobs,
        prefix: QUEUE_PREFIX,
        concurrency: 1,
      })
      const applied = applyControls([worker])
      const each = await attach(stack.deps, 'worker', (settings) => applied.apply(settings), applied.lanes)
      onTestFinished(async () => {
        await each.stop()
        await worker.close()
      })
      return worker
    }
    const workers = [await startWorker(one), await startWorker(two)]
    const call = await startOps(two)
    const set = await call('PUT', '/control/lanes/transcode', { paused: true, concurrency: 3 })
    expect(set.body.lanes.transcode).toMatchObject({ paused: true, concurrency: { jobs: 3 } })
    await waitFor(() => workers.every(({ concurrency }) => concurrency === 3))
    // One that starts now has it from the start.
    expect((await startWorker(one)).concurrency).toBe(3)
    const { transcode } = one.deps.queues.byLane
    await transcode.add('transcode', {}, { jobId: 'waits', priority: 1 })
    // A lane that is not paused shows that somebody works.
    await waitFor(async () => (await transcode.getJobCounts('prioritized'))['prioritized'] === 1)
    expect(done).toEqual([])
    await call('PUT', '/control/lanes/transcode', { paused: false, concurrency: null })
    await waitFor(() => done.includes('waits'))
    await waitFor(() => workers.every(({ concurrency }) => concurrency === 1))
  })
})

describe('control settings', () => {
  it('record who changed what, in their own list and in the log', async () => {
    const call = await startOps(one)
    await call('PUT', '/control/lanes/notify', { paused: true })
    const { body } = await call('PUT', '/control/lanes/notify', { paused: false })
    expect(body.log.slice(0, 2)).toMatchObject([
      { what: 'lane notify resumed', by: expect.stringMatching(/^operator ops from (::ffff:)?127\.0\.0\.1$/) },
      { what: 'lane notify paused' },
    ])
    expect(one.lines.filter((line) => line.includes('lane notify paused'))).toHaveLength(1)
  })

  it('need a login: one login for many requests, and each refusal, are in the security log', async () => {
    const call = await startOps(one)
    const wrong = { authorization: `Basic ${Buffer.from('somsri:guess').toString('base64')}` }
    await call('GET', '/control')
    await call('GET', '/control', undefined, wrong)
    await call('GET', '/control')
    const logins = (await one.deps.securityLog.newest(100)).filter(({ event }) => event === 'operator.login')
    expect(logins.slice(0, 2)).toMatchObject([
      { result: 'refused', by: 'unknown', from: expect.stringMatching(/127\.0\.0\.1$/) },
      { result: 'ok', by: 'operator ops' },
    ])
    expect(JSON.stringify(logins)).not.toContain('somsri')
  })

  it('are shown but cannot be changed with read-only access', async () => {
    const call = await startOps(one, { readOnly: true })
    expect((await call('GET', '/control')).body).toMatchObject({ readOnly: true, admission: { open: true } })
    for (const [path, body] of [
      ['admission', { open: false, reason: 'x' }],
      ['lanes/notify', { paused: true }],
      ['drain', { draining: true }],
    ] as const)
      expect(await call('PUT', `/control/${path}`, body)).toMatchObject({
        status: 403,
        body: { code: 'READ_ONLY' },
      })
    expect(await controlsOf(one).read()).toEqual({ admission: null, concurrency: {}, drains: {} })
    expect(await controlsOf(one).pausedLanes()).toEqual([])
  })

  it('require the password, and refuse pages of other sites', async () => {
    const call = await startOps(one)
    const wrong = { authorization: `Basic ${Buffer.from('ops:guess').toString('base64')}` }
    expect((await call('GET', '/control', undefined, wrong)).status).toBe(401)
    expect((await call('PUT', '/control/admission', { open: true }, wrong)).status).toBe(401)
    const foreign = { 'sec-fetch-site': 'cross-site' }
    expect((await call('PUT', '/control/admission', { open: true }, foreign)).status).toBe(403)
    const off = await startOps(one, { password: undefined })
    expect(await off('GET', '/control')).toMatchObject({
      status: 404,
      body: { text: expect.stringContaining('OPS_PASSWORD') },
    })
  })

  it.each([
    ['admission', {}],
    ['admission', { open: false }],
    ['admission', { open: false, reason: 'x', retryAfterSeconds: 0 }],
    ['admission', { open: true, colour: 'red' }],
    ['lanes/encode', { paused: true }],
    ['lanes/notify', { concurrency: 0 }],
    ['drain', { instance: 'x' }],
  ])('refuse %s %j', async (path, body) => {
    const call = await startOps(one)
    // Fastify takes unknown members out instead of refusing them: nothing else may have been said then.
    const { status } = await call('PUT', `/control/${path}`, body)
    expect(status).toBe('colour' in body ? 200 : 400)
  })
})
