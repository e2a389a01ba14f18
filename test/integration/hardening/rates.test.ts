// Who asks too often is told to come back; nobody who goes on with a file ever is, and nobody else at the same school.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { pdfBytes } from '../../support/media/pdfs.ts'
import { idOf, type TusUser, tusUser } from '../../support/tus.ts'
import { expectProblem } from '../uploads/problem.ts'

const PER_MINUTE = 5

let stack: Environment
beforeAll(async () => {
  stack = await openEnvironment({
    env: { CREATIONS_PER_MINUTE: String(PER_MINUTE), SESSION_CALLS_PER_MINUTE: String(PER_MINUTE) },
  })
})
afterAll(async () => await stack.close())

const bytes = pdfBytes()
const creation = (number: number) => ({ length: bytes.length, name: `${number}.pdf` })

/** Creates until it is refused; the addresses of what was created, and the refusal. */
async function hammer(user: TusUser) {
  const urls: string[] = []
  for (let number = 0; number < 3 * PER_MINUTE; number++) {
    const reply = await user.post(creation(number))
    if (reply.status !== 201) return { urls, refusal: reply }
    urls.push(String(reply.headers.location))
  }
  throw new Error('never refused')
}

test('creations above the rate are 503 with Retry-After, recorded as attempts; running uploads continue', async () => {
  const submission = await stack.submission()
  const user = tusUser(stack.url, await stack.ticket(submission, 'plan', { subject: 'ครูสมศรี' }))
  const { urls, refusal } = await hammer(user)
  expect(urls).toHaveLength(PER_MINUTE)
  expectProblem(refusal, 503, 'RATE_LIMITED')
  expect(refusal.problem?.['limit']).toBe(PER_MINUTE)
  const wait = Number(refusal.headers['retry-after'])
  expect(wait).toBeGreaterThan(0)
  expect(wait).toBeLessThanOrEqual(60 / PER_MINUTE)

  const [first = ''] = urls
  for (let turn = 0; turn < 3 * PER_MINUTE; turn++) expect((await user.head(first)).status).toBe(200)
  const step = Math.ceil(bytes.length / (2 * PER_MINUTE))
  for (let at = 0; at < bytes.length; at += step)
    expect((await user.patch(first, at, bytes.subarray(at, at + step))).status).toBe(204)

  const { body } = await stack.call('GET', `/v1/submissions/${submission}/attempts`)
  const codes = (body['items'] as { code: string | null }[]).map(({ code }) => code)
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(1)
  expect(await stack.deps.metrics.text()).toContain('rate_limited_total{what="creation"} 1')
})

test('a colleague behind the same address, in the same submission, is not refused', async () => {
  const submission = await stack.submission()
  await hammer(tusUser(stack.url, await stack.ticket(submission, 'plan', { subject: 'one' })))
  const colleague = tusUser(stack.url, await stack.ticket(submission, 'plan', { subject: 'two' }))
  expect((await colleague.post(creation(1))).status).toBe(201)
})

test('another ticket of the same person does not help; without a subject the submission is counted', async () => {
  const [one, two] = [await stack.submission(), await stack.submission()]
  const named = async (id: string) => tusUser(stack.url, await stack.ticket(id, 'plan', { subject: 'same' }))
  await hammer(await named(one))
  expectProblem(await (await named(two)).post(creation(1)), 503, 'RATE_LIMITED')
  await hammer(tusUser(stack.url, await stack.ticket(one, 'plan')))
  expect((await tusUser(stack.url, await stack.ticket(two, 'plan')).post(creation(1))).status).toBe(201)
})

test('resuming an unfinished upload does not count', async () => {
  const user = await stack.user('plan', { subject: 'on another machine' })
  const url = await user.create({ ...creation(0), fingerprint: 'f' })
  await hammer(user)
  const joined = await user.post({ ...creation(0), fingerprint: 'f' })
  expect([joined.status, idOf(String(joined.headers.location))]).toEqual([201, idOf(url)])
})

test("a page's changes and reads are counted separately, an API key's never", async () => {
  const submission = await stack.submission()
  const { body } = await stack.call('POST', `/v1/submissions/${submission}/sessions`, {
    body: {
      subject: 'page',
      can: ['read', 'upload'],
    },
  })
  const token = String(body['token'])
  const ask = (key?: string) =>
    stack.call('POST', `/v1/submissions/${submission}/tickets`, { body: { slot: 'plan' }, token: key })
  const describe = (key?: string) =>
    stack.call('PATCH', `/v1/submissions/${submission}/slots/plan`, { body: { metadata: {} }, token: key })
  for (let number = 0; number < PER_MINUTE; number++) expect((await ask(token)).status).toBe(201)
  for (const refused of [await ask(token), await describe(token)])
    expect([refused.status, refused.body['code']]).toEqual([503, 'RATE_LIMITED'])
  for (let number = 0; number < 2 * PER_MINUTE; number++) {
    expect((await stack.call('GET', `/v1/submissions/${submission}`, { token })).status).toBe(200)
    expect((await ask()).status).toBe(201)
  }
  const { body: attempts } = await stack.call('GET', `/v1/submissions/${submission}/attempts`)
  expect((attempts['items'] as { code: string }[]).map(({ code }) => code)).toContain('RATE_LIMITED')
})

test('no request is refused because Redis is unavailable', async () => {
  const { redis } = stack.deps
  const user = await stack.user('plan', { subject: 'lucky' })
  await hammer(user)
  // The connection that counts is down; the one that uploads use is not.
  redis.producer.disconnect()
  try {
    expect((await user.post(creation(99))).status).toBe(201)
  } finally {
    await redis.producer.connect()
  }
})
