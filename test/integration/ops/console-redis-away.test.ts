// The console and the control settings while Redis is away, hangs, or has come back: said in words, with the way to the
// runbook; and nothing is called open that is not known to be.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createMetrics } from '../../../src/core/metrics.ts'
import { startHeartbeat } from '../../../src/ops/heartbeat.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { listen } from '../../support/app.ts'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { PATIENCE_MS, waitFor } from '../../support/http.ts'

const PASSWORD = 'only for operators'

let stack: Environment
let url: string
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  stack = await openEnvironment({ listens: false, env: { OPS_PASSWORD: PASSWORD } })
  const { deps } = stack
  const redis = deps.redis.producer
  const app = await buildOpsServer({ ...deps, redis, state: { started: true, draining: false } })
  url = await listen(app)
  const { redisWatch, clock, logger } = deps
  const metrics = createMetrics({ processMetrics: false })
  const state = () => ({ draining: false })
  const endHeartbeat = startHeartbeat({
    redis,
    redisWatch,
    metrics,
    clock,
    logger,
    instance: 'x:1',
    role: 'service',
    state,
  })
  ends.push(endHeartbeat, () => app.close())
})
afterAll(async () => {
  for (const end of ends) await end()
  await stack.close()
})

const get = async (path: string) => {
  const authorization = `Basic ${Buffer.from(`ops:${PASSWORD}`).toString('base64')}`
  const answer = await fetch(url + path, { headers: { authorization } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

it.each(['/console/api/day', '/console/api/security', '/console/api/find?text=x', '/control'])(
  '%s is 503 with its code while Redis is away, and answers again afterwards',
  async (path) => {
    await stack.redis.kill()
    onTestFinished(() => stack.redis.restart())
    const { status, headers, text } = await get(path)
    expect([status, JSON.parse(text).code]).toEqual([503, 'REDIS_UNAVAILABLE'])
    expect(headers.get('retry-after')).toBe('5')
    await stack.redis.restart()
    await waitFor(async () => (await get(path)).status === 200)
  },
)

/** Hangs, on a connection that stands: without one every question fails at once. */
async function hang(): Promise<void> {
  await waitFor(async () => JSON.parse((await get('/console/api/pulse')).text).redis.up, { what: 'a connection' })
  stack.redis.pause()
}

it('a Redis that hangs is no unexpected error either', async () => {
  await hang()
  onTestFinished(() => stack.redis.resume())
  // A period of its own: what was read a moment ago is remembered.
  const { status, text } = await get('/console/api/day?minutes=7')
  expect([status, JSON.parse(text).code]).toEqual([503, 'REDIS_UNAVAILABLE'])
})

it('a Redis that hangs is told at once, while the numbers still wait for it', async () => {
  await hang()
  onTestFinished(() => stack.redis.resume())
  const order: string[] = []
  const numbers = get('/console/api/day?minutes=8').then(() => order.push('numbers'))
  const pulse = get('/console/api/pulse').then(({ text }) => {
    order.push('pulse')
    return JSON.parse(text)
  })
  expect((await pulse).redis).toMatchObject({ up: false, error: expect.stringContaining('no answer') })
  expect((await pulse).store).toMatchObject({ up: true, kind: 'local' })
  await numbers
  expect(order).toEqual(['pulse', 'numbers'])
})

describe.skipIf(!chromiumAvailable())('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium()
    ends.push(() => browser.close())
  })

  const openConsole = async (): Promise<Page> => {
    const context = await browser.newContext({ httpCredentials: { username: 'ops', password: PASSWORD } })
    context.setDefaultTimeout(PATIENCE_MS)
    const page = await context.newPage()
    await page.goto(`${url}/console`)
    return page
  }
  const isOpen = (page: Page) => page.waitForSelector('#door.good:text-is("Open for new uploads")')
  const isAway = (page: Page) => page.waitForSelector('#door.bad:text-is("Not known: Redis is away")')

  it('says that Redis is away, what it means and where to read on, until it is back', async () => {
    const page = await openConsole()
    await isOpen(page)
    await stack.redis.kill()
    onTestFinished(() => stack.redis.restart())
    await isAway(page)
    const words = await page.textContent('#trouble')
    expect(words).toMatch(
      /^Redis does not answer\. Uploads wait: .* stored\. Numbers as of \d\d:\d\d:\d\d\. What to do/,
    )
    expect(words).not.toContain('Internal Server Error')
    expect(await page.locator('#door.good, main .good').count()).toBe(0)
    expect(await page.textContent('#health li:first-child')).toBe('Redisdoes not answerWhat to do')
    expect(await page.locator('#health li.unknown', { hasText: 'not known until Redis answers' }).count()).toBe(3)

    const [runbook] = await Promise.all([page.context().waitForEvent('page'), page.click('#trouble a')])
    await runbook.waitForSelector('h2:target:text-is("Redis is lost")')
    // Nothing sticks out sideways on a telephone.
    await runbook.setViewportSize({ width: 390, height: 844 })
    expect(await runbook.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)

    await stack.redis.restart()
    await isOpen(page)
    await page.waitForSelector('#trouble', { state: 'hidden' })
  })

  it('does not say "open" where it is opened meanwhile', async () => {
    await stack.redis.kill()
    onTestFinished(() => stack.redis.restart())
    // What another page read a moment ago is remembered.
    await waitFor(async () => (await get('/console/api/day?minutes=10')).status === 503, { what: 'no numbers' })
    const page = await openConsole()
    await isAway(page)
    expect(await page.textContent('#trouble')).not.toContain('Numbers as of')
  })

  it('says the same of a Redis that hangs', async () => {
    const page = await openConsole()
    await isOpen(page)
    stack.redis.pause()
    onTestFinished(() => stack.redis.resume())
    await isAway(page)
    stack.redis.resume()
    await isOpen(page)
  })
})
