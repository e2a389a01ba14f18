import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Authorize } from '../../../src/events/access.ts'
import { LiveEvents } from '../../../src/events/live.ts'
import { EventLog } from '../../../src/events/log.ts'
import { ProgressWatch } from '../../../src/events/progress.ts'
import { eventRoutes } from '../../../src/events/routes.ts'
import type { EventBody } from '../../../src/records/event-body.ts'
import { appWithProblems } from '../../support/app.ts'
import { SECRETS } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { NO_REVOCATIONS } from '../../support/revocations.ts'

let stack: Environment
let get: (path: string, owner?: string) => Promise<{ status: number; body: Page & { code?: string } }>
type Page = { items: EventBody[]; nextCursor: string }

beforeAll(async () => {
  stack = await openEnvironment({ listens: false })
  const app = appWithProblems()
  const authorize: Authorize = (request) => {
    const [owner = '', submissionId] = String(request.headers.authorization).split('/')
    return Promise.resolve(submissionId === undefined ? { owner } : { owner, submissionId })
  }
  await app.register(eventRoutes, {
    authorize,
    authorizeStream: authorize,
    revocations: NO_REVOCATIONS,
    heads: stack.deps.heads,
    views: stack.deps.views,
    secrets: SECRETS,
    logger: stack.deps.logger,
    log: new EventLog(stack.deps.index.completeness),
    live: new LiveEvents(stack.connect('subscriber'), stack.deps.logger),
    progress: new ProgressWatch({ ...stack.deps, redis: stack.deps.redis.hot }),
    snapshots: { submission: () => Promise.resolve({}), upload: () => Promise.resolve({}) },
  })
  get = async (path, owner = 'portal') => {
    const answer = await app.inject({ url: path, headers: { authorization: owner } })
    return { status: answer.statusCode, body: answer.json() }
  }
})
afterAll(() => stack.close())

it('returns a portal’s own events, page by page to the end, with a cursor', async () => {
  await stack.commitHead('S-1')
  await stack.commitHead('S-1', {}, 'other')
  const upload = await stack.putUpload('S-1')
  for (const event of ['upload.stored', 'upload.accepted', 'upload.ready']) await stack.note(upload.id, { event })
  const first = await get('/v1/events?limit=3')
  expect(first.body.items.map(({ type }) => type)).toEqual(['upload.created', 'upload.stored', 'upload.accepted'])
  expect(first.body.items[0]).toMatchObject({
    id: `evt_${upload.id}_1`,
    data: { submissionId: 'S-1', uploadId: upload.id, slot: 'plan', sequence: 1 },
  })
  const second = await get(`/v1/events?limit=3&after=${first.body.nextCursor}`)
  expect(second.body.items.map(({ type }) => type)).toEqual(['upload.ready'])
  const third = await get(`/v1/events?after=${second.body.nextCursor}`)
  expect(third.body).toEqual({ items: [], nextCursor: second.body.nextCursor })
  await stack.note(upload.id, { event: 'upload.superseded' })
  const fourth = await get(`/v1/events?after=${third.body.nextCursor}`)
  expect(fourth.body.items.map(({ type }) => type)).toEqual(['upload.superseded'])
  expect((await get('/v1/events', 'other')).body.items).toEqual([])
})

it('returns a cursor even before the first event', async () => {
  const { body } = await get('/v1/events', 'new')
  expect(body.items).toEqual([])
  expect((await get(`/v1/events?after=${body.nextCursor}`, 'new')).status).toBe(200)
})

it.each([
  '0-0',
  'abc',
  '%',
  Buffer.from('e1:1-1 ').toString('base64url'),
  `${Buffer.from('e1:1-1').toString('base64url')}=`,
  '',
])('refuses %j as a cursor', async (cursor) => {
  const { status, body } = await get(`/v1/events?after=${encodeURIComponent(cursor)}`)
  expect([status, body.code]).toEqual([400, 'CURSOR_INVALID'])
})

it('refuses a limit out of range, and a session', async () => {
  for (const limit of ['0', '201', 'x']) expect((await get(`/v1/events?limit=${limit}`)).status).toBe(400)
  const { status, body } = await get('/v1/events', 'portal/S-1')
  expect([status, body.code]).toEqual([403, 'SESSION_SCOPE'])
})
