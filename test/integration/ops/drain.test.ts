// Draining with several instances on one Redis: shown without an instance, and refused for the last one that accepts new
// uploads, on the command line and over HTTP.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Context, Result } from '../../../src/cli/command.ts'
import { parseCommandLine } from '../../../src/cli/parse.ts'
import { Controls } from '../../../src/ops/controls.ts'
import type { ProcessReport } from '../../../src/ops/heartbeat.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'

const PASSWORD = 'only for operators'
const BY = { by: 'tester', from: null }

let stack: Environment
let controls: Controls
let app: Awaited<ReturnType<typeof buildOpsServer>>

beforeAll(async () => {
  stack = await openEnvironment({ listens: false, env: { OPS_PASSWORD: PASSWORD, OPS_READ_ONLY: 'false' } })
  const deps = { ...stack.deps, redis: stack.deps.redis.producer }
  controls = new Controls(deps)
  app = await buildOpsServer({ ...deps, state: { started: true, draining: false } })
})
afterAll(async () => {
  await app.close()
  await stack.close()
})
beforeEach(async () => {
  await stack.deps.redis.hot.del(redisKeys.controls, redisKeys.processes)
})

/** The heartbeat of another machine's process. It does not grow old, however long the test takes. */
async function runs(instance: string, report: Partial<ProcessReport> = {}): Promise<void> {
  const one = {
    name: `${instance}/1`,
    instance,
    role: 'service',
    draining: false,
    sending: 0,
    rssBytes: 1,
    loopShare: 0,
  }
  const nowMs = stack.deps.clock.now()
  const json = JSON.stringify({ ...one, startedAtMs: nowMs - 60_000, atMs: nowMs + 3_600_000, ...report })
  await stack.deps.redis.hot.hset(redisKeys.processes, one.name, json)
}

async function songngan(...args: string[]): Promise<Result> {
  const parsed = parseCommandLine(args)
  if (parsed.kind !== 'run') throw new Error(`${args[0]} cannot be run here`)
  return await parsed.run({ deps: stack.deps, controls, operator: BY } as unknown as Context)
}

const put = async (body: object) => {
  const authorization = `Basic ${Buffer.from(`ops:${PASSWORD}`).toString('base64')}`
  const answer = await app.inject({ method: 'PUT', url: '/control/drain', headers: { authorization }, payload: body })
  return { status: answer.statusCode, body: answer.json() }
}
const drained = async () => Object.keys((await controls.read()).drains)

describe('songngan drain', () => {
  it('without an instance shows all processes and changes nothing', async () => {
    await runs('a:1')
    await runs('b:1', { draining: true })
    await runs('w:1', { role: 'worker' })
    const { json, text } = await songngan('drain')
    expect(json).toMatchObject({ accepting: ['a:1'], draining: ['b:1'] })
    expect(text.join('\n')).toMatch(/a:1 +running[\s\S]*b:1 +draining[\s\S]*w:1 +running/)
    expect(text.join('\n')).not.toContain('No service')
    expect(await drained()).toEqual([])
  })

  it('says that nobody can begin an upload', async () => {
    await runs('a:1', { draining: true })
    await runs('w:1', { role: 'worker' })
    expect((await songngan('drain')).text.at(-1)).toBe('No service accepts new uploads.')
  })

  it('refuses the last service, and drains it with --yes', async () => {
    await runs('a:1')
    await runs('w:1', { role: 'worker' })
    await expect(songngan('drain', 'a:1')).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/a:1 is the last .* nothing was changed.*--yes/),
    })
    expect(await drained()).toEqual([])
    const ended = songngan('drain', 'a:1', '--yes', '--wait', '10m')
    await waitFor(async () => (await drained()).includes('a:1'))
    await runs('a:1', { draining: true })
    expect(await ended).toMatchObject({ json: { draining: true, inForce: true }, exitCode: 0 })
  })

  it('knows no instance that is not alive', async () => {
    await runs('a:1')
    await expect(songngan('drain', 'b:1', '--yes')).rejects.toMatchObject({ exitCode: 3 })
  })
})

describe('PUT /control/drain', () => {
  it('refuses the last instance that accepts new uploads, unless told otherwise', async () => {
    await runs('a:1')
    await runs('b:1', { draining: true })
    const refused = await put({ draining: true, instance: 'a:1' })
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'LAST_INSTANCE', error: expect.stringContaining('a:1') },
    })
    expect(await drained()).toEqual([])
    const { status, body } = await put({ draining: true, instance: 'a:1', evenLast: true })
    expect([status, Object.keys(body.drains)]).toEqual([200, ['a:1']])
  })

  it('drains one of two, then not the other, although the first has not obeyed yet', async () => {
    await runs('a:1')
    await runs('b:1')
    expect((await put({ draining: true, instance: 'a:1' })).status).toBe(200)
    expect((await put({ draining: true, instance: 'b:1' })).status).toBe(409)
    expect((await put({ draining: false, instance: 'a:1' })).status).toBe(200)
    expect((await put({ draining: true, instance: 'b:1' })).status).toBe(200)
  })

  it('counts an instance that was started again after its order', async () => {
    await runs('a:1')
    await runs('b:1')
    await controls.drain(BY, 'b:1')
    await runs('b:1', { startedAtMs: stack.deps.clock.now() + 1000 })
    expect((await put({ draining: true, instance: 'a:1' })).status).toBe(200)
  })

  it('drains workers, also the last one', async () => {
    await runs('a:1')
    await runs('w:1', { role: 'worker' })
    expect((await put({ draining: true, instance: 'w:1' })).status).toBe(200)
  })

  it('never drains both of two services that are ordered at the same time', async () => {
    await runs('a:1')
    await runs('b:1')
    await Promise.all([controls.drain(BY, 'a:1'), controls.drain(BY, 'b:1')])
    expect((await controls.intake()).accepting.length).toBeGreaterThan(0)
  })
})
