import type { FastifyRequest } from 'fastify'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import type { Caller } from '../../../src/events/access.ts'
import { LiveEvents } from '../../../src/events/live.ts'
import { EventLog } from '../../../src/events/log.ts'
import { ProgressWatch } from '../../../src/events/progress.ts'
import { type EventRouteDeps, eventRoutes } from '../../../src/events/routes.ts'
import type { EventBody } from '../../../src/records/event-body.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { appWithProblems, listen } from '../../support/app.ts'
import { draftFor, OWNER, SECRETS } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { NO_REVOCATIONS } from '../../support/revocations.ts'
import { openSse, type Received } from './sse-client.ts'

let stack: Environment
beforeAll(async () => {
  stack = await openEnvironment({ listens: false, appendOnly: true })
})
afterAll(() => stack.close())

async function authorize(request: FastifyRequest): Promise<Caller> {
  const token = request.headers.authorization ?? (request.query as { access_token?: string }).access_token
  if (token === undefined) throw new AppError('API_KEY_INVALID')
  const [owner = '', submissionId] = token.split('/')
  return submissionId === undefined ? { owner } : { owner, submissionId }
}

/** One process of the service: its own subscription, its own listener. */
async function startProcess(change: Partial<EventRouteDeps> = {}) {
  const live = new LiveEvents(stack.connect('subscriber'), stack.deps.logger)
  await waitFor(() => live.subscribed)
  const app = appWithProblems()
  await app.register(eventRoutes, {
    authorize,
    authorizeStream: authorize,
    revocations: NO_REVOCATIONS,
    live,
    heads: stack.deps.heads,
    views: stack.deps.views,
    secrets: SECRETS,
    logger: stack.deps.logger,
    log: new EventLog(stack.deps.index.completeness),
    progress: new ProgressWatch({ ...stack.deps, redis: stack.deps.redis.hot }),
    snapshots: {
      submission: (owner: string, id: string) => stack.deps.heads.require(owner, id),
      upload: (id: string) => stack.deps.views.one(id),
    },
    ...change,
  })
  const url = await listen(app)
  onTestFinished(async () => {
    await app.close()
    await live.close()
  })
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const client = await openSse(`${url}${path}`, { authorization: OWNER, ...headers })
    onTestFinished(() => client.close())
    return client
  }
  return { app, live, url, open }
}

const types = (events: Received[]) => events.map(({ event }) => event)
const sequences = (events: Received[]) => events.map(({ data }) => (data as EventBody).data.sequence)

describe('a submission’s event stream', () => {
  it('begins with the current document, then sends events as they happen', async () => {
    await stack.commitHead('S-live')
    const { open } = await startProcess()
    const client = await open('/v1/submissions/S-live/events')
    expect(client.status).toBe(200)
    expect(client.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(client.headers['x-accel-buffering']).toBe('no')
    expect(client.headers['cache-control']).toContain('no-cache')
    expect((await client.seen('snapshot'))[0]?.data).toMatchObject({ id: 'S-live' })
    expect(client.retryMs).toBeGreaterThanOrEqual(1000)
    const upload = await stack.putUpload('S-live')
    const [created] = await client.seen('upload.created')
    expect(created?.id).toBe(`evt_${upload.id}_1`)
    expect(created?.data).toMatchObject({
      id: `evt_${upload.id}_1`,
      type: 'upload.created',
      data: { submissionId: 'S-live', uploadId: upload.id, state: 'receiving', sequence: upload.sequence },
    })
  })

  it('resumes after Last-Event-ID at another process, without gaps', async () => {
    await stack.commitHead('S-resume')
    const [one, two] = [await startProcess(), await startProcess()]
    const client = await one.open('/v1/submissions/S-resume/events')
    await client.seen('snapshot')
    const upload = await stack.putUpload('S-resume')
    await client.seen('upload.created')
    client.close()
    await stack.reach(upload.id, 'stored')
    await stack.reach(upload.id, 'accepted')
    const back = await two.open('/v1/submissions/S-resume/events', { 'last-event-id': client.lastEventId })
    await back.seen('upload.accepted')
    await stack.reach(upload.id, 'ready')
    await back.seen('upload.ready')
    expect(types(back.events)).toEqual(['upload.stored', 'upload.accepted', 'upload.ready'])
  })

  it('sends the document for an unknown Last-Event-ID, and can be resumed from its id', async () => {
    await stack.commitHead('S-unknown')
    const upload = await stack.putUpload('S-unknown')
    const { open } = await startProcess()
    const client = await open('/v1/submissions/S-unknown/events', { 'last-event-id': 'evt_of_long_ago_1' })
    const [snapshot] = await client.seen('snapshot')
    expect(snapshot?.id).toBe(`evt_${upload.id}_1`)
    client.close()
    await stack.reach(upload.id, 'stored')
    const back = await open('/v1/submissions/S-unknown/events', { 'last-event-id': client.lastEventId })
    await back.seen('upload.stored')
    expect(types(back.events)).toEqual(['upload.stored'])
  })

  it('does not hold back events published in another order than their numbers', async () => {
    await stack.commitHead('S-order')
    const a = await stack.putUpload('S-order')
    // The later commit was announced first; a page saw it and went away before the other came.
    const key = redisKeys.submissionEvents(OWNER, 'S-order')
    await stack.deps.redis.hot.xadd(key, '*', 'e', envelope('S-order', 'evt_late', 9))
    await stack.deps.redis.hot.xadd(key, '*', 'e', envelope('S-order', 'evt_early', 8))
    const { open } = await startProcess()
    const client = await open('/v1/submissions/S-order/events', { 'last-event-id': 'evt_late' })
    await client.seen('submission.complete')
    expect(client.events.map(({ id }) => id)).toEqual(['evt_early'])
    expect(a.sequence).toBe(1)
  })

  it('sends every event once during a burst while the log is read', async () => {
    await stack.commitHead('S-burst')
    const upload = await stack.putUpload('S-burst')
    const { open } = await startProcess()
    const writing = (async () => {
      for (let i = 0; i < 60; i++) await stack.note(upload.id, { event: 'upload.playable' })
    })()
    const clients = await Promise.all(
      [1, 2, 3, 4].map(() => open('/v1/submissions/S-burst/events', { 'last-event-id': `evt_${upload.id}_1` })),
    )
    await writing
    for (const client of clients) {
      await client.seen('upload.playable', 60)
      expect(sequences(client.events)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2))
    }
  })

  it('is refused to others: no credentials, another portal, another submission’s session', async () => {
    await stack.commitHead('S-mine')
    const { open, url } = await startProcess()
    const path = '/v1/submissions/S-mine/events'
    expect((await openSse(`${url}${path}`)).status).toBe(401)
    expect((await open(path, { authorization: 'other' })).status).toBe(404)
    expect((await open(path, { authorization: `${OWNER}/S-live` })).status).toBe(404)
    expect((await open('/v1/submissions/a%20b/events')).status).toBe(400)
    const session = await openSse(`${url}${path}?access_token=${OWNER}/S-mine`)
    onTestFinished(() => session.close())
    expect(session.status).toBe(200)
  })

  it('answers HEAD without opening a stream', async () => {
    const { url } = await startProcess()
    const answer = await fetch(`${url}/v1/submissions/S-mine/events`, {
      method: 'HEAD',
      headers: { authorization: OWNER },
    })
    expect(answer.status).toBe(405)
  })
})

function envelope(submissionId: string, id: string, sequence: number): string {
  const data = { sequence, submissionId, revision: 1, state: 'open' }
  return JSON.stringify({
    owner: OWNER,
    submissionId,
    body: { id, type: 'submission.complete', timestamp: new Date().toISOString(), data },
  })
}

describe('an upload’s event stream', () => {
  it('sends events of this upload only, and resumes from an id of another', async () => {
    await stack.commitHead('S-up')
    const [mine, other] = [await stack.putUpload('S-up'), await stack.putUpload('S-up')]
    const { open } = await startProcess()
    const client = await open(`/v1/uploads/${mine.id}/events`)
    const [snapshot] = await client.seen('snapshot')
    expect(snapshot).toMatchObject({ id: `evt_${other.id}_1`, data: { id: mine.id } })
    await stack.reach(other.id, 'stored')
    await stack.reach(mine.id, 'stored')
    await client.seen('upload.stored')
    expect(client.events.map(({ id }) => id)).toEqual([`evt_${other.id}_1`, `evt_${mine.id}_2`])
    const back = await open(`/v1/uploads/${mine.id}/events`, { 'last-event-id': `evt_${other.id}_1` })
    await back.seen('upload.stored')
    expect(types(back.events)).toEqual(['upload.stored'])
  })

  it('sends progress of receiving and processing, and only changes', async () => {
    await stack.commitHead('S-progress')
    const { open } = await startProcess()
    const draft = draftFor('S-progress')
    await stack.deps.hot.create(draft, { size: 100, expiresAtMs: Date.now() + 60_000, partBytes: 50 })
    const client = await open(`/v1/uploads/${draft.id}/events`)
    const [first] = await client.seen('progress')
    expect(first?.data).toEqual({ uploadId: draft.id, receivedBytes: 0, bytes: 100, progress: null })
    expect(first?.id).toBe('')
    await stack.deps.hot.acquire(draft.id, 'fence', 'here')
    await stack.deps.hot.saveProgress(draft.id, 'fence', { offset: 40, expiresAtMs: Date.now() + 60_000 })
    await client.seen('progress', 2)
    const work = { step: 'transcode' as const, percent: 12, etaSeconds: 60, queuePosition: null }
    await stack.deps.views.setProgress(draft.id, work)
    await client.seen('progress', 3)
    expect(client.events.filter(({ event }) => event === 'progress').map(({ data }) => data)).toEqual([
      { uploadId: draft.id, receivedBytes: 0, bytes: 100, progress: null },
      { uploadId: draft.id, receivedBytes: 40, bytes: 100, progress: null },
      { uploadId: draft.id, receivedBytes: 40, bytes: 100, progress: work },
    ])
  })

  it('sends the progress of each upload in the submission’s stream', async () => {
    await stack.commitHead('S-page')
    const drafts = [draftFor('S-page'), draftFor('S-page')]
    for (const draft of drafts)
      await stack.deps.hot.create(draft, { size: 100, expiresAtMs: Date.now() + 60_000, partBytes: 50 })
    const { open } = await startProcess()
    const client = await open('/v1/submissions/S-page/events')
    const told = await client.seen('progress', 2)
    expect(new Set(told.map(({ data }) => (data as { uploadId: string }).uploadId))).toEqual(
      new Set(drafts.map(({ id }) => id)),
    )
  })

  it('is unknown to another portal, like an invented id', async () => {
    const mine = await stack.putUpload('S-up')
    const { open } = await startProcess()
    for (const [id, authorization] of [
      [mine.id, 'other'],
      [mine.id, `${OWNER}/S-live`],
      [`${mine.id.slice(0, -1)}${mine.id.endsWith('a') ? 'b' : 'a'}`, OWNER],
    ] as const) {
      const refused = await open(`/v1/uploads/${id}/events`, { authorization })
      expect(refused.status).toBe(404)
      await waitFor(() => refused.events.length === 1)
      expect(refused.events[0]?.data).toMatchObject({ code: 'UPLOAD_UNKNOWN' })
    }
  })
})

describe('the connection', () => {
  it('has a comment line while nothing happens', async () => {
    await stack.commitHead('S-quiet')
    const { open } = await startProcess({ timing: { heartbeatMs: 50 } })
    const client = await open('/v1/submissions/S-quiet/events')
    await waitFor(() => client.comments.length >= 2)
    expect(types(client.events)).toEqual(['snapshot'])
  })

  it('ends when the process drains, and no new one is accepted', async () => {
    await stack.commitHead('S-drain')
    const drain = new AbortController()
    const { open, live } = await startProcess({ drain: drain.signal })
    const client = await open('/v1/submissions/S-drain/events')
    await client.seen('snapshot')
    drain.abort()
    await waitFor(() => client.ended)
    await waitFor(() => live.listening === 0)
    expect((await open('/v1/submissions/S-drain/events')).status).toBe(503)
  })

  it('does not delay the end of a server', async () => {
    await stack.commitHead('S-close')
    const { open, app } = await startProcess()
    const client = await open('/v1/submissions/S-close/events')
    await client.seen('snapshot')
    await app.close()
    await waitFor(() => client.ended)
  })

  it('is closed when its client does not read for too long, and its memory is released', async () => {
    await stack.commitHead('S-slow')
    const upload = await stack.putUpload('S-slow')
    const { open, live } = await startProcess({ timing: { slowReaderMs: 300 } })
    const client = await open('/v1/submissions/S-slow/events')
    await client.seen('snapshot')
    client.pause()
    const problems = [{ code: 'X', severity: 'warn' as const, message: { th: 'ก'.repeat(200_000), en: '' } }]
    for (let i = 0; i < 30 && live.listening > 0; i++)
      await stack.note(upload.id, { event: 'upload.playable', problems })
    await waitFor(() => live.listening === 0)
  })
})

describe('when Redis', () => {
  it('loses its connections, missed events are sent from the log', async () => {
    await stack.commitHead('S-cut')
    const upload = await stack.putUpload('S-cut')
    const { open } = await startProcess()
    const client = await open('/v1/submissions/S-cut/events')
    await client.seen('snapshot')
    // Cut the subscriptions and announce before they are back: nobody can have heard it live.
    await stack.deps.redis.hot
      .multi()
      .client('KILL', 'TYPE', 'pubsub')
      .xadd(redisKeys.submissionEvents(OWNER, 'S-cut'), '*', 'e', envelope('S-cut', 'evt_unheard', 7))
      .exec()
    await client.seen('submission.complete')
    await stack.reach(upload.id, 'stored')
    await client.seen('upload.stored')
    expect(types(client.events)).toEqual(['snapshot', 'submission.complete', 'upload.stored'])
  })

  it('returns empty, the page gets the document again and then new events', async () => {
    await stack.commitHead('S-lost')
    const upload = await stack.putUpload('S-lost')
    const { open } = await startProcess()
    const client = await open('/v1/submissions/S-lost/events', { 'last-event-id': `evt_${upload.id}_1` })
    await stack.reach(upload.id, 'stored')
    await client.seen('upload.stored')
    await stack.redis.restart({ dir: await stack.redis.emptyDir() })
    const [snapshot] = await client.seen('snapshot')
    expect(snapshot?.data).toMatchObject({ id: 'S-lost' })
    await stack.reach(upload.id, 'accepted')
    await client.seen('upload.accepted')
    client.close()
    // Another page comes back with an id that only the old Redis knew.
    const back = await open('/v1/submissions/S-lost/events', { 'last-event-id': `evt_${upload.id}_1` })
    await back.seen('snapshot')
  })
})
