import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { linkRoutes } from '../../../src/delivery/link-routes.ts'
import { mediaRoute } from '../../../src/delivery/media-route.ts'
import { signMediaToken } from '../../../src/delivery/media-token.ts'
import { renditionChanged } from '../../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import type { ByteRange } from '../../../src/storage/object-store.ts'
import { appWithProblems, listen } from '../../support/app.ts'
import { draftFor, OWNER, SECRETS } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import type { Details } from '../../support/records.ts'
import { DERIVED, NO_REVOCATIONS } from '../../support/revocations.ts'

const FILM = randomBytes(1_000_000)

let stack: Environment
let url: string
let nowMs = Date.now()
const opened: Readable[] = []
const app = appWithProblems()

beforeAll(async () => {
  stack = await openEnvironment({ listens: false })
  await stack.commitHead('S-1')
  const clock = { now: () => nowMs }
  await app.register(linkRoutes, {
    authorize: (request) => {
      const [owner = '', submissionId] = String(request.headers.authorization).split('/')
      return Promise.resolve(submissionId === undefined ? { owner } : { owner, submissionId })
    },
    views: stack.deps.views,
    clock,
    keyDerivation: DERIVED,
    config: loadConfig({ REDIS_URL: stack.redis.url, TICKET_SECRET: SECRETS[0] }),
  })
  const store = {
    head: (key: string) => stack.deps.store.head(key),
    open: async (key: string, range?: ByteRange) => {
      if (key.endsWith('endless')) return endless()
      const stream = await stack.deps.store.open(key, range)
      opened.push(stream)
      return stream
    },
  }
  const { uploads } = stack.deps
  await app.register(mediaRoute, { store, uploads, secrets: SECRETS, clock, revocations: NO_REVOCATIONS })
  url = await listen(app)
})
afterAll(async () => {
  await app.close()
  await stack.close()
})

/** A film that never ends, to see what becomes of it when nobody watches any more. */
function endless(): Readable {
  const stream = new Readable({ read: () => void stream.push(Buffer.alloc(64 * 1024)) })
  opened.push(stream)
  return stream
}

async function stored(details: Details = {}, body = FILM): Promise<UploadRecord> {
  const declared = { filename: 'การสอน ป.4.mp4', type: 'video/mp4', bytes: body.length }
  const upload = await stack.putUpload('S-1', { declared })
  await stack.deps.store.createIfAbsent(objectKeys.data(upload.id), body)
  const measured = { kind: 'video' as const, container: 'mp4' }
  return await stack.reach(upload.id, 'accepted', { bytes: body.length, measured, ...details })
}

type Link = { name: string; url: string; contentType: string; bytes: number; expiresAt: string }

async function ask(id: string, body: object = {}, authorization: string = OWNER) {
  const answer = await fetch(`${url}/v1/uploads/${id}/links`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const json = (await answer.json()) as { items: Link[]; code?: string; [detail: string]: unknown }
  return { status: answer.status, ...json }
}

async function linkTo(record: UploadRecord, body: object = {}): Promise<string> {
  const { items } = await ask(record.id, { names: ['original'], ...body })
  const [link] = items
  if (link === undefined) throw new Error('no link')
  return link.url
}

async function get(address: string, headers: Record<string, string> = {}, method = 'GET') {
  const answer = await fetch(address, { method, headers })
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
}

describe('links', () => {
  it('name the original and ready renditions, with type, size and expiry', async () => {
    const rendition = { kind: 'mp4' as const, required: true, state: 'waiting' as const }
    const renditions = ['720p', '480p'].map((name) => ({ ...rendition, name }))
    const record = await stored({ renditions })
    const key = objectKeys.rendition(record.id, 'tok', '720p.mp4')
    const made = { state: 'ready' as const, key, contentType: 'video/mp4', bytes: 7 }
    await stack.commit(record.id, (current) => renditionChanged(current, '720p', made))
    await stack.commit(record.id, (current) => renditionChanged(current, '480p', { state: 'running' }))
    const { status, items } = await ask(record.id)
    expect(status).toBe(200)
    expect(items.map(({ url: _, ...link }) => link)).toEqual([
      {
        name: 'original',
        contentType: 'video/mp4',
        bytes: FILM.length,
        expiresAt: new Date(Math.ceil((nowMs + 21_600_000) / 1000) * 1000).toISOString(),
      },
      expect.objectContaining({ name: '720p', contentType: 'video/mp4', bytes: 7 }),
    ])
    for (const link of items) expect(link.url.startsWith(`${url}/media/`)).toBe(true)
    expect(decodeURIComponent(items[1]?.url.split('/').at(-1) ?? '')).toBe('การสอน ป.4-720p.mp4')
    expect((await ask(record.id, { names: ['720p'] })).items).toHaveLength(1)
    expect(await ask(record.id, { names: ['480p'] })).toMatchObject({
      status: 409,
      code: 'MEDIA_NOT_READY',
      name: '480p',
      state: 'running',
    })
    expect(await ask(record.id, { names: ['4k'] })).toMatchObject({
      status: 404,
      code: 'MEDIA_UNKNOWN',
      names: ['original', '720p', '480p'],
    })
  })

  it('are refused clearly while the parts are not joined, or the upload is incomplete', async () => {
    const upload = await stack.putUpload('S-1')
    expect(await ask(upload.id)).toMatchObject({ status: 409, code: 'MEDIA_NOT_READY', state: 'receiving' })
    const parts = [{ number: 1, offset: 0, bytes: 5, etag: 'x' }]
    await stack.reach(upload.id, 'stored', {
      object: { key: objectKeys.data(upload.id), multipartId: 'm', parts },
    })
    expect(await ask(upload.id, { names: ['original'] })).toMatchObject({
      status: 409,
      code: 'MEDIA_NOT_READY',
      state: 'assembling',
    })
    const draft = draftFor('S-1')
    await stack.deps.hot.create(draft, { size: 1, expiresAtMs: Date.now() + 60_000, partBytes: 1 })
    expect(await ask(draft.id)).toMatchObject({ status: 409, code: 'MEDIA_NOT_READY' })
  })

  it.each([
    ['expired', 'UPLOAD_EXPIRED'],
    ['cancelled', 'UPLOAD_CANCELLED'],
  ] as const)('do not exist for an upload that was %s', async (state, code) => {
    const upload = await stack.putUpload('S-1')
    await stack.reach(upload.id, state)
    expect(await ask(upload.id)).toMatchObject({ status: 410, code })
  })

  it('are only for the own portal and its sessions', async () => {
    const record = await stored()
    for (const other of ['other', `${OWNER}/S-2`])
      expect(await ask(record.id, {}, other)).toMatchObject({ status: 404, code: 'UPLOAD_UNKNOWN' })
    expect((await ask(record.id, {}, `${OWNER}/S-1`)).status).toBe(200)
  })

  it.each([{ expiresInSeconds: 0 }, { expiresInSeconds: 604_801 }, { names: [] }, { name: 'original' }])(
    'refuse %j',
    async (body) => {
      const record = await stored()
      expect(await ask(record.id, body)).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    },
  )
})

describe('the media route', () => {
  it('sends the file with its Thai name and headers that prevent scripts', async () => {
    const { status, headers, body } = await get(await linkTo(await stored()))
    expect(status).toBe(200)
    expect(body.equals(FILM)).toBe(true)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(FILM.length),
      'accept-ranges': 'bytes',
      'content-disposition': `inline; filename="______ _.4.mp4"; filename*=UTF-8''${encodeURIComponent('การสอน ป.4.mp4')}`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=3600',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'cross-origin',
    })
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('etag')).toMatch(/^"[\w-]{27}"$/)
  })

  it('is sent as a download if requested, or if its type is unknown', async () => {
    const asked = await get(await linkTo(await stored(), { download: true }))
    expect(asked.headers.get('content-disposition')).toMatch(/^attachment; /)
    const unmeasured = await get(await linkTo(await stored({ measured: { kind: 'other', container: 'unknown' } })))
    expect(unmeasured.headers.get('content-disposition')).toMatch(/^attachment; /)
    expect(unmeasured.headers.get('content-type')).toBe('application/octet-stream')
  })

  it.each([
    ['bytes=0-99', 0, 99],
    ['bytes=999900-', 999_900, 999_999],
    ['bytes=-100', 999_900, 999_999],
    ['bytes=500-5000000', 500, 999_999],
  ])('answers %s with that part', async (range, start, end) => {
    const { status, headers, body } = await get(await linkTo(await stored()), { range })
    expect(status).toBe(206)
    expect(headers.get('content-range')).toBe(`bytes ${start}-${end}/${FILM.length}`)
    expect(headers.get('content-length')).toBe(String(end - start + 1))
    expect(body.equals(FILM.subarray(start, end + 1))).toBe(true)
  })

  it('answers 416 with the size for a range after the end, and the complete file for several ranges', async () => {
    const link = await linkTo(await stored())
    const behind = await get(link, { range: 'bytes=1000000-' })
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, 'bytes */1000000'])
    expect(behind.body).toHaveLength(0)
    const several = await get(link, { range: 'bytes=0-1,5-6' })
    expect([several.status, several.body.length]).toEqual([200, FILM.length])
  })

  it('supports If-Range with the tag of the object, and If-None-Match', async () => {
    const record = await stored()
    const link = await linkTo(record)
    const etag = (await get(link)).headers.get('etag') ?? ''
    // Another link to the same object goes on where the first one broke off.
    const again = await linkTo(record, { expiresInSeconds: 99 })
    expect((await get(again, { range: 'bytes=5-9', 'if-range': etag })).status).toBe(206)
    expect((await get(again, { range: 'bytes=5-9', 'if-range': '"another"' })).status).toBe(200)
    const unchanged = await get(link, { 'if-none-match': etag })
    expect([unchanged.status, unchanged.body.length, unchanged.headers.get('etag')]).toEqual([304, 0, etag])
  })

  it('answers HEAD like GET, without the bytes and without opening them', async () => {
    const link = await linkTo(await stored())
    const before = opened.length
    const { status, headers, body } = await get(link, { range: 'bytes=0-1' }, 'HEAD')
    expect([status, headers.get('content-length'), body.length]).toEqual([200, String(FILM.length), 0])
    expect(headers.get('content-type')).toBe('video/mp4')
    expect(opened).toHaveLength(before)
  })

  it('sends an empty file', async () => {
    const record = await stored({}, Buffer.alloc(0))
    const { status, body } = await get(await linkTo(record))
    expect([status, body.length]).toEqual([200, 0])
  })

  it('refuses a link that was forged or is too old, as a problem document', async () => {
    const link = await linkTo(await stored(), { expiresInSeconds: 60 })
    const forged = await get(link.replace(/\/media\/./, '/media/x'))
    expect(forged.status).toBe(403)
    expect(forged.headers.get('content-type')).toContain('application/problem+json')
    expect(JSON.parse(forged.body.toString())).toMatchObject({ code: 'LINK_INVALID' })
    for (const path of ['/media/', '/media/x', '/media/x/y.mp4', '/media/%00/y'])
      expect((await get(url + path)).status).toBe(403)
    nowMs += 61_000
    const old = await get(link)
    expect([old.status, JSON.parse(old.body.toString()).code]).toEqual([410, 'LINK_EXPIRED'])
  })

  it('answers 404 for a deleted file, without the headers of the file', async () => {
    const record = await stored()
    const link = await linkTo(record)
    await stack.deps.store.removeAll(objectKeys.upload(record.id))
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await get(link, { range: 'bytes=0-5' }, method)
      expect([status, headers.get('content-disposition'), headers.get('content-range')]).toEqual([404, null, null])
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })

  it('answers 410 with the reason for a file deleted by retention or cancelled', async () => {
    const over = await stored()
    const cancelled = await stored()
    const links = [await linkTo(over), await linkTo(cancelled)]
    await stack.note(over.id, { mediaRemovedAt: '2026-11-21T08:00:00.000Z' })
    await stack.reach(cancelled.id, 'cancelled')
    for (const { id } of [over, cancelled]) await stack.deps.store.remove(objectKeys.data(id))
    const answers = await Promise.all(links.map((link) => get(link)))
    expect(answers.map(({ status, body }) => [status, JSON.parse(body.toString()).code])).toEqual([
      [410, 'MEDIA_REMOVED'],
      [410, 'UPLOAD_CANCELLED'],
    ])
    expect((await get(links[0] ?? '', {}, 'HEAD')).status).toBe(410)
    // Nor are new ones given out.
    expect(await ask(over.id)).toMatchObject({
      status: 410,
      code: 'MEDIA_REMOVED',
      mediaRemovedAt: '2026-11-21T08:00:00.000Z',
    })
  })

  it('stops reading when the client disconnects', async () => {
    const upload = await stored()
    await stack.note(upload.id, { object: { key: `${objectKeys.upload(upload.id)}endless` } })
    const outgoing = request(await linkTo(upload), { agent: false })
    outgoing.on('error', () => undefined) // gone on purpose
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    await once(response, 'data')
    const stream = opened.at(-1)
    expect(stream?.destroyed).toBe(false)
    outgoing.destroy()
    await waitFor(() => stream?.destroyed === true)
  })

  it('does not read ahead of a client that does not read', async () => {
    const upload = await stored()
    await stack.note(upload.id, { object: { key: `${objectKeys.upload(upload.id)}endless` } })
    const outgoing = request(await linkTo(upload), { agent: false })
    outgoing.on('error', () => undefined) // ended below on purpose
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    response.pause()
    const stream = opened.at(-1)
    let pushed = -1
    // Standing still: two looks in a row see the same number of reads.
    let reads = 0
    const push = stream?.push.bind(stream)
    if (stream !== undefined && push !== undefined)
      stream.push = (chunk: unknown) => {
        reads += 1
        return push(chunk as Buffer)
      }
    await waitFor(
      () => {
        const still = reads === pushed
        pushed = reads
        return still
      },
      { intervalMs: 200 },
    )
    expect(reads).toBeLessThan(1000)
    outgoing.destroy()
    await waitFor(() => stream?.destroyed === true)
  })

  it('watches the session of no client that is gone, and of every one until it goes', async () => {
    const upload = await stored()
    const token = signMediaToken(
      {
        uploadId: upload.id,
        name: 'original',
        key: objectKeys.data(upload.id),
        expiresAtSeconds: Math.ceil(nowMs / 1000) + 60,
        contentType: 'video/mp4',
        bytes: FILM.length,
        fileName: 'a.mp4',
        download: false,
        session: { owner: OWNER, submission: 'S-1', id: 'a'.repeat(24), revocations: 0, person: null },
      },
      SECRETS,
    )
    const watchers = new Set<object>()
    let watched = 0
    let asked = 0
    let looked = Promise.resolve(false)
    const watching = appWithProblems()
    let gone = 0
    watching.addHook('onRequest', async (_request, reply) => {
      reply.raw.once('close', () => gone++)
    })
    await watching.register(mediaRoute, {
      store: stack.deps.store,
      uploads: stack.deps.uploads,
      secrets: SECRETS,
      clock: { now: () => nowMs },
      revocations: {
        isRevoked: () => {
          asked++
          return looked
        },
        watch: () => {
          const watcher = {}
          watchers.add(watcher)
          watched++
          return () => watchers.delete(watcher)
        },
      },
    })
    onTestFinished(async () => {
      watching.server.closeAllConnections()
      await watching.close()
    })
    const address = `${await listen(watching)}/media/${token}/a.mp4`
    expect((await get(address)).body.equals(FILM)).toBe(true)
    await waitFor(() => gone === 1)
    expect([watched, watchers.size]).toEqual([1, 0])
    // One whose player seeks while Redis is slow.
    let answer: (isRevoked: boolean) => void = () => undefined
    looked = new Promise((resolve) => {
      answer = resolve
    })
    const hasty = request(address, { agent: false }).on('error', () => undefined) // gone on purpose
    hasty.end()
    await waitFor(() => asked === 2)
    hasty.destroy()
    await waitFor(() => gone === 2)
    answer(false)
    // Whoever comes later is served after it.
    expect((await get(address)).status).toBe(200)
    await waitFor(() => gone === 3)
    expect(watchers.size).toBe(0)
  })

  it('has closed every file that it opened', async () => {
    await waitFor(() => opened.every((stream) => stream.closed), { what: 'all streams to be closed' })
  })
})
