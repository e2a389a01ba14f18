// The console over what several processes count and what people did: numbers, search, one submission; and in a browser.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createMetrics } from '../../../src/core/metrics.ts'
import { FindIndex } from '../../../src/ops/find/find-index.ts'
import { FindFollower } from '../../../src/ops/find/follower.ts'
import type { Group } from '../../../src/ops/find/standings.ts'
import { startHeartbeat } from '../../../src/ops/heartbeat.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { createLookup } from '../../../src/support/lookup.ts'
import { searchFollower } from '../../../src/support/search.ts'
import { readWithStanding } from '../../../src/support/standing.ts'
import { listen } from '../../support/app.ts'
import { pdfBytes } from '../../support/bytes.ts'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { idOf, tusUser } from '../../support/tus.ts'

const PASSWORD = 'only for operators'
const DEADLINE = new Date(Date.now() + 3_600_000).toISOString()

let stack: Environment
let url: string
let uploadId: string
let submissionId: string
let follower: FindFollower
const ends: (() => Promise<unknown>)[] = []

const get = async (path: string, headers: Record<string, string> = {}) => {
  const authorization = `Basic ${Buffer.from(`ops:${PASSWORD}`).toString('base64')}`
  const answer = await fetch(url + path, { headers: { authorization, ...headers } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}
const json = async (path: string) => JSON.parse((await get(path)).text)
const found = async (text: string): Promise<string[]> =>
  (await json(`/console/api/find?text=${encodeURIComponent(text)}`)).items.map(
    (item: { submissionId: string }) => item.submissionId,
  )

beforeAll(async () => {
  stack = await openEnvironment({ env: { OPS_PASSWORD: PASSWORD } })
  const { deps } = stack
  const redis = deps.redis.producer
  const app = await buildOpsServer({
    ...deps,
    redis,
    state: { started: true, draining: false },
    support: createLookup(deps),
  })
  url = await listen(app)
  follower = searchFollower(deps, 'test')
  ends.push(() => app.close())

  submissionId = await stack.submission({ deadline: DEADLINE, metadata: { school: 'โรงเรียนบ้านหนองน้ำใส' } })
  const ticket = await stack.ticket(submissionId, 'plan', { subject: 'ครูสมศรี ใจดี' })
  const user = tusUser(stack.url, ticket)
  const bytes = pdfBytes(5000)
  const address = await user.create({ length: bytes.length, name: 'แผนการสอน ป.4.pdf' })
  await user.patch(address, 0, bytes)
  uploadId = idOf(address)
  await follower.follow()
})
afterAll(async () => {
  for (const end of ends) await end()
  await stack.close()
})

describe('the search', () => {
  it.each([
    ['a part of the name', 'สมศรี'],
    ['name and file', 'ใจดี แผน'],
    ['a file name', 'ป.4.PDF'],
    ['what the portal says', 'หนองน้ำใส'],
  ])('finds by %s', async (_what, text) => {
    expect(await found(text)).toEqual([submissionId])
  })

  it('finds by the ids of upload and submission, and returns no wrong match', async () => {
    expect(await found(uploadId)).toEqual([submissionId])
    expect(await found(submissionId)).toEqual([submissionId])
    expect(await found('สมศรี เลขา')).toEqual([])
    expect(await found('  ')).toEqual([])
  })

  it('finds a person all of whose uploads were refused, by the attempts', async () => {
    const id = await stack.submission()
    const ticket = await stack.ticket(id, 'plan', { subject: 'ครูวิชัย' })
    const refused = await tusUser(stack.url, ticket).post({ length: 10_000_000, name: 'ใหญ่.pdf' })
    expect(refused.status).toBe(413)
    await waitFor(async () => (await follower.follow()) > 0)
    expect(await found('วิชัย')).toEqual([id])
    const file = await json(`/console/api/submissions/portal/${id}`)
    expect(file.attempts).toMatchObject([
      { outcome: 'refused', code: 'UPLOAD_TOO_LARGE', declared: { filename: 'ใหญ่.pdf' } },
    ])
  })

  it('is indexed by one process at a time, reads only changes, and starts again on request', async () => {
    const { deps } = stack
    const redis = deps.redis.producer
    const find = new FindIndex(redis)
    await waitFor(async () => (await follower.follow()) === 0, { what: 'nothing new' })
    const other = searchFollower(deps, 'other')
    await stack.submission()
    expect(await other.follow()).toBe(0)
    expect(await follower.follow()).toBe(1)
    await redis.del(redisKeys.find)
    expect(await found('สมศรี')).toEqual([])
    await find.forgetMarks()
    expect(await follower.follow()).toBeGreaterThan(1)
    expect(await found('สมศรี')).toEqual([submissionId])
  })

  it('reads a change once, also of thousands that are sealed within seconds', async () => {
    const { deps } = stack
    const redis = deps.redis.producer
    await waitFor(async () => (await follower.follow()) === 0, { what: 'nothing new' })
    const read: string[] = []
    const counting = new FindFollower({
      redis,
      heads: deps.heads,
      find: new FindIndex(redis),
      read: (found) => {
        if (found.owner !== 'of-thousands') return readWithStanding(deps, found)
        read.push(found.submissionId)
        return Promise.resolve(undefined)
      },
      logger: deps.logger,
      name: 'test',
    })
    const list = redisKeys.submissionsOf('of-thousands')
    const change = (id: string) => [deps.clock.now(), id]
    await redis.sadd(redisKeys.owners, 'of-thousands')
    await redis.zadd(list, ...Array.from({ length: 6000 }, (_, i) => change(`burst-${i}`)).flat())
    onTestFinished(async () => {
      await redis.srem(redisKeys.owners, 'of-thousands')
      await redis.del(list)
    })
    await counting.follow()
    await redis.zadd(list, ...change('one-more'))
    await counting.follow()
    await counting.follow()
    expect(read.slice(6000)).toEqual(['one-more'])
  })

  it('finds a submission whose profile the operator has removed', async () => {
    const id = await stack.submission({ metadata: { name: 'เลิกใช้แล้ว' } })
    await stack.deps.heads.commit('portal', id, (head) => head && { ...head, profile: 'gone@1', event: null })
    await follower.follow()
    expect(await found('เลิกใช้แล้ว')).toEqual([id])
  })

  it('forgets what was deleted', async () => {
    const id = await stack.submission({ metadata: { name: 'ลบทิ้ง' } })
    await follower.follow()
    expect(await found('ลบทิ้ง')).toEqual([id])
    await stack.call('DELETE', `/v1/submissions/${id}`)
    expect(await found('ลบทิ้ง')).toEqual([])
    expect(await stack.deps.redis.hot.hget(redisKeys.find, `portal/${id}`)).toBeNull()
  })
})

describe('one submission', () => {
  it('is shown with its slots, uploads, attempts and people', async () => {
    const file = await json(`/console/api/submissions/portal/${submissionId}`)
    expect(file).toMatchObject({
      document: { slots: expect.arrayContaining([expect.objectContaining({ slot: 'plan' })]) },
      uploads: [{ id: uploadId, subject: 'ครูสมศรี ใจดี', declared: { filename: 'แผนการสอน ป.4.pdf' } }],
      attempts: [{ outcome: 'accepted', uploadId, subject: 'ครูสมศรี ใจดี' }],
    })
    expect((await get('/console/api/submissions/portal/nobody')).status).toBe(404)
  })
})

describe('who has handed in', () => {
  // Not within a day: the tile shows the deadline that most submissions share.
  const deadlineMs = Date.now() + 30 * 3_600_000
  const of = async (how: string, after = '') => {
    const profile = encodeURIComponent((await group())?.profile ?? '')
    const path = `/console/api/standings/list?deadlineMs=${deadlineMs}&profile=${profile}&standing=${how}`
    return await json(`${path}&after=${encodeURIComponent(after)}`)
  }
  const group = async () =>
    (await json('/console/api/standings?sinceMs=0')).groups.find((one: Group) => one.deadlineMs === deadlineMs)
  const idsOf = async (how: string) => (await of(how)).items.map(({ submissionId: id }: { submissionId: string }) => id)

  it('is counted and listed, page by page, and follows changes and deletions', async () => {
    const deadline = new Date(deadlineMs).toISOString()
    const ids: string[] = []
    for (let i = 0; i < 51; i++) ids.push(await stack.submission({ deadline, uniqueKey: `key ${i}` }))
    await follower.follow()
    expect((await group())?.counts).toEqual({ sealed: 0, complete: 0, returned: 0, incomplete: 51 })
    const first = await of('incomplete')
    const second = await of('incomplete', first.next)
    expect([first.items.length, second.items.length, second.next]).toEqual([50, 1, null])
    expect([...first.items, ...second.items].map((one) => one.submissionId).sort()).toEqual(ids.toSorted())
    expect(first.items[0].missing.length).toBeGreaterThan(0)
    // Deleted, and not followed yet: the list leaves it out, and the count is right from then on.
    await stack.call('DELETE', `/v1/submissions/${ids[0]}`)
    expect(await idsOf('incomplete')).not.toContain(ids[0])
    // Another deadline is another group.
    await stack.put(ids[1] ?? '', {
      profile: (await group()).profile,
      deadline: new Date(deadlineMs + 3_600_000).toISOString(),
    })
    await waitFor(async () => (await follower.follow()) > 0)
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, n) => all + n, 0)
    expect(sum((await group())?.counts)).toBe(49)
  })

  it('needs a standing that exists', async () => {
    expect((await get('/console/api/standings/list?deadlineMs=1&profile=x&standing=y')).status).toBe(400)
  })
})

describe('the dashboard', () => {
  it('adds up the counters of all processes, and lists the live ones', async () => {
    const { deps } = stack
    const { redisWatch } = deps
    const parts = { redis: deps.redis.producer, redisWatch, clock: deps.clock, logger: deps.logger, instance: 'x:1' }
    const [a, b] = [createMetrics({ processMetrics: false }), createMetrics({ processMetrics: false })]
    const state = () => ({ draining: false })
    const endA = startHeartbeat({ ...parts, metrics: a, role: 'service', state })
    const endB = startHeartbeat({ ...parts, metrics: b, role: 'worker', state })
    a.uploadsCreated.inc(3)
    b.uploadsCreated.inc(4)
    a.uploadBytesReceived.inc(1000)
    a.uploadErrors.inc({ code: 'NO_SPACE', status: 503 })
    b.uploadVerdict.observe(0.2)
    const day = await waitFor(
      async () => {
        const now = await json('/console/api/day?minutes=5')
        return now.totals.created === 7 && now.totals.verdicts === 1 && now
      },
      { what: 'two beats' },
    )
    expect(day.totals).toMatchObject({ created: 7, bytes: 1000, refused: 1, verdicts: 1 })
    expect(day.refusals).toEqual([{ code: 'NO_SPACE', count: 1 }])
    expect(day.processes.alive).toMatchObject([{ instance: 'x:1' }])
    expect(day.deadline).toMatchObject({ at: DEADLINE, submissions: 1 })
    expect(Object.keys(day.lanes)).toEqual(['validate', 'inspect', 'transcode', 'notify', 'maintain'])
    expect(day.now).toMatchObject({ open: 0, unsettled: expect.any(Number) })
    // Bounded: every key that counts ends by itself.
    const keys = await deps.redis.hot.keys('sn:tally:*')
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) expect(await deps.redis.hot.ttl(key)).toBeGreaterThan(0)
    await Promise.all([endA(), endB()])
    expect(await deps.redis.hot.hlen(redisKeys.processes)).toBe(0)
  })

  it('counts running uploads and their remaining bytes', async () => {
    const user = await stack.user('plan')
    const address = await user.create({ length: 5000, name: 'b.pdf' })
    await user.patch(address, 0, pdfBytes(5000).subarray(0, 2000))
    await waitFor(async () => {
      const { now } = await json('/console/api/day?minutes=6')
      return now.open === 1 && now.bytesLeft === 3000
    })
    await user.remove(address)
  })

  it.each(['4', '2881', 'x'])('refuses a period of %s minutes', async (minutes) => {
    expect((await get(`/console/api/day?minutes=${minutes}`)).status).toBe(400)
  })
})

describe('the page', () => {
  it('requires the password everywhere', async () => {
    for (const path of ['/console', '/console/main.js', '/console/api/day', '/console/api/find?text=x'])
      expect((await get(path, { authorization: 'Basic b3BzOm5v' })).status).toBe(401)
  })

  it('loads only its own files, and is transferred again only after a change', async () => {
    const page = await get('/console')
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';")
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|https?:/)
    const etag = page.headers.get('etag') ?? ''
    // As a browser asks again; fetch by itself would say no-cache, which is answered whole.
    const again = { 'if-none-match': etag, 'cache-control': 'max-age=0' }
    expect((await get('/console', again)).status).toBe(304)
    const script = await get('/console/main.js')
    expect(script.headers.get('content-type')).toMatch(/javascript/)
    for (const { headers } of [page, script]) {
      expect(headers.get('cache-control')).toBe('no-cache')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
    }
    // The page without its policy.
    expect((await get('/console/index.html')).status).toBe(404)
    expect((await get('/console/nothing.js')).status).toBe(404)
    expect((await get('/console/..%2f..%2fparts.ts')).status).toBe(404)
  })
})

/** Its heartbeat alone. @returns what ends it */
function startService(): () => Promise<void> {
  const { redis, redisWatch, clock, logger } = stack.deps
  return startHeartbeat({
    redis: redis.producer,
    redisWatch,
    clock,
    logger,
    metrics: createMetrics({ processMetrics: false }),
    instance: 'x:3',
    role: 'service',
    state: () => ({ draining: false }),
  })
}

describe.skipIf(!chromiumAvailable())('in a browser', () => {
  it('shows the dashboard and a person, without errors and without requests to other hosts', async () => {
    onTestFinished(startService())
    const browser = await startChromium()
    ends.push(() => browser.close())
    const context = await browser.newContext({
      httpCredentials: { username: 'ops', password: PASSWORD },
      viewport: { width: 390, height: 844 },
    })
    const page = await context.newPage()
    const pageErrors: string[] = []
    page.on('console', (message) => message.type() === 'error' && pageErrors.push(message.text()))
    page.on('pageerror', (error) => pageErrors.push(error.message))
    page.on('request', (request) => request.url().startsWith(url) || pageErrors.push(request.url()))
    await page.goto(`${url}/console`)
    await page.waitForSelector('figure svg')
    await page.waitForSelector('#door.good')
    expect(await page.textContent('#door')).toBe('Open for new uploads')
    expect(await page.locator('.lanes tbody tr').count()).toBe(5)
    // Nothing sticks out sideways on a telephone.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await page.fill('#text', 'สมศรี')
    await page.press('#text', 'Enter')
    await page.waitForSelector('.case h1')
    expect(await page.textContent('.case h1')).toContain(submissionId)
    expect(await page.textContent('main')).toContain('แผนการสอน ป.4.pdf')
    expect(pageErrors).toEqual([])
  })

  it('shows a Redis that refuses writes, and a process with a wrong clock', async () => {
    const { redis, clock, logger } = stack.deps
    const redisWatch = { skewMs: () => 300_000 }
    const end = startHeartbeat({
      redis: redis.producer,
      redisWatch,
      clock,
      logger,
      metrics: createMetrics({ processMetrics: false }),
      instance: 'x:2',
      role: 'worker',
      state: () => ({ draining: false }),
    })
    ends.push(end)
    const browser = await startChromium()
    ends.push(() => browser.close())
    const context = await browser.newContext({ httpCredentials: { username: 'ops', password: PASSWORD } })
    const page = await context.newPage()
    await page.goto(`${url}/console`)
    await page.waitForSelector('text=alive, clock 5 min 0 s ahead')
    await redis.hot.config('SET', 'maxmemory', '1')
    await page.waitForSelector('text=Redis takes no writes: OOM')
    await redis.hot.config('SET', 'maxmemory', '0')
    await page.waitForSelector('#trouble', { state: 'hidden' })
  })
})
