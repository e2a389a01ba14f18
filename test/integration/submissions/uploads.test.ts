import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { newUploadId } from '../../../src/core/ids.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { settleDueSubmissions } from '../../../src/submissions/due-submissions.ts'
import { START } from '../../support/clock.ts'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const objectsOf = async (id: string) => {
  const keys: string[] = []
  for await (const { key } of h.deps.store.list(objectKeys.upload(id)))
    keys.push(key.slice(objectKeys.upload(id).length))
  return keys
}
const recordName = (id: string) => objectKeys.uploadRecord(id).slice(objectKeys.upload(id).length)
const version = (id: string, n: number) => `${recordName(id)}00000${n}.json`
const stateOf = async (id: string) => (await h.call('GET', `/v1/uploads/${id}`)).body['state']
const cancel = (id: string) => h.call('DELETE', `/v1/uploads/${id}`)
const typesOf = async (id: string) =>
  (await h.events()).filter(({ data }) => data.uploadId === id).map(({ type }) => type)

describe('GET of an upload', () => {
  it('is its document in every state', async () => {
    await h.put('u-1')
    const draft = await h.beginUpload('u-1', 'plan')
    const before = await h.call('GET', `/v1/uploads/${draft.id}`)
    expect(before.body).toMatchObject({
      id: draft.id,
      submissionId: 'u-1',
      slot: 'plan',
      state: 'receiving',
      accepted: false,
      superseded: false,
      receivedBytes: 0,
      storedAt: null,
      declared: { filename: 'แผนการสอน.pdf', type: 'application/pdf', bytes: 1000 },
      progress: { step: 'receive', percent: 0 },
    })
    expect(before.body).not.toHaveProperty('fingerprint')
    await h.receiveBytes(draft, 400)
    expect((await h.call('GET', `/v1/uploads/${draft.id}`)).body).toMatchObject({
      state: 'receiving',
      receivedBytes: 400,
      progress: { percent: 40 },
    })
    const accepted = await h.acceptedUpload('u-1', 'plan')
    const headers = { 'if-none-match': String(before.headers['etag']) }
    const after = await h.call('GET', `/v1/uploads/${accepted.id}`, { headers })
    expect(after.status).toBe(200)
    expect(after.body).toMatchObject({ state: 'accepted', accepted: true, measured: { pages: 3 } })
    expect(after.text).not.toContain('"key"')
    const same = { 'if-none-match': String(after.headers['etag']) }
    expect((await h.call('GET', `/v1/uploads/${accepted.id}`, { headers: same })).status).toBe(304)
  })

  it('shows when it was replaced', async () => {
    await h.put('u-2')
    const first = await h.acceptedUpload('u-2', 'plan')
    const second = await h.acceptedUpload('u-2', 'plan', { replaces: first.id })
    expect((await h.call('GET', `/v1/uploads/${first.id}`)).body['superseded']).toBe(true)
    expect((await h.call('GET', `/v1/uploads/${second.id}`)).body['superseded']).toBe(false)
  })

  it('is 404 for invented ids, unknown ones, and those of another portal', async () => {
    await h.put('u-3', {}, OTHER_KEY)
    const theirs = await h.beginUpload('u-3', 'plan', { owner: 'other' })
    const unknown = newUploadId('portal', 'u-3', h.deps.config.secrets.uploadId)
    for (const id of [theirs.id, unknown, 'a'.repeat(40), 'x', '..%2Fx', 'x'.repeat(300)]) {
      expectProblem(await h.call('GET', `/v1/uploads/${id}`), 'UPLOAD_UNKNOWN')
      expectProblem(await cancel(id), 'UPLOAD_UNKNOWN')
    }
    expect((await h.call('GET', `/v1/uploads/${theirs.id}`, { token: OTHER_KEY })).status).toBe(200)
  })
})

describe('the uploads of a submission', () => {
  it('are listed oldest first, unfinished ones with what another device needs to resume', async () => {
    await h.put('list')
    const accepted = await h.acceptedUpload('list', 'plan')
    const rejected = await h.beginUpload('list', 'extras')
    await h.storeUpload(rejected)
    await h.judgeUpload(rejected.id, 'rejected')
    const waiting = await h.beginUpload('list', 'extras', { fingerprint: 'print' })
    const list = async (query = '') => {
      const { body } = await h.call('GET', `/v1/submissions/list/uploads${query}`)
      return { ids: (body['items'] as { id: string }[]).map(({ id }) => id), body }
    }
    const all = await list()
    expect(all.ids).toEqual([accepted.id, rejected.id, waiting.id])
    expect(all.body['nextCursor']).toBeNull()
    const items = all.body['items'] as Record<string, unknown>[]
    expect(items[0]).not.toHaveProperty('url')
    expect(items[2]).toMatchObject({
      url: `https://songngan.example/files/${waiting.id}`,
      fingerprint: 'print',
      expiresAt: expect.any(String),
    })
    expect((await list('?slot=extras')).ids).toEqual([rejected.id, waiting.id])
    expect((await list('?state=accepted')).ids).toEqual([accepted.id])
    expect((await list('?slot=plan&state=rejected')).ids).toEqual([])
    const first = await list('?limit=2')
    expect(first.ids).toEqual([accepted.id, rejected.id])
    const rest = await list(`?limit=2&cursor=${String(first.body['nextCursor'])}`)
    expect([rest.ids, rest.body['nextCursor']]).toEqual([[waiting.id], null])
    expectProblem(await h.call('GET', '/v1/submissions/list/uploads?cursor=nobody'), 'CURSOR_INVALID')
    expectProblem(await h.call('GET', '/v1/submissions/list/uploads?state=lost'), 'BAD_REQUEST')
    expectProblem(await h.call('GET', '/v1/submissions/list/uploads?limit=201'), 'BAD_REQUEST')
    expectProblem(await h.call('GET', '/v1/submissions/unmade/uploads'), 'SUBMISSION_UNKNOWN')
  })
})

describe('DELETE of an upload', () => {
  it('of which no byte is stored leaves a tombstone behind, so that no late writer makes a record', async () => {
    await h.put('d-1')
    const draft = await h.beginUpload('d-1', 'plan')
    expect((await cancel(draft.id)).status).toBe(204)
    expect(await stateOf(draft.id)).toBe('cancelled')
    expect((await cancel(draft.id)).status).toBe(204)
    expect(await objectsOf(draft.id)).toEqual([version(draft.id, 1)])
    const { body } = await h.call('GET', '/v1/submissions/d-1')
    expect(body['slots']).toContainEqual(expect.objectContaining({ slot: 'plan', state: 'empty', uploads: [] }))
  })

  it('that is receiving ends its PATCH, and deletes its bytes', async () => {
    await h.put('d-2')
    const draft = await h.beginUpload('d-2', 'plan')
    await h.receiveBytes(draft)
    await h.deps.hot.acquire(draft.id, 'fence', 'somewhere', { offset: 400 })
    expect((await cancel(draft.id)).status).toBe(204)
    expect(await objectsOf(draft.id)).toEqual([version(draft.id, 3)])
    const late = { offset: 500, expiresAtMs: h.clock.ms + 1000 }
    expect(await h.deps.hot.saveProgress(draft.id, 'fence', late)).toBe(false)
    expect(await typesOf(draft.id)).toEqual(['upload.created', 'upload.cancelled'])
  })

  it('whose first bytes are arriving ends it with a record', async () => {
    await h.put('d-3')
    const draft = await h.beginUpload('d-3', 'plan')
    await h.deps.hot.acquire(draft.id, 'fence', 'somewhere', { offset: 0 })
    expect((await cancel(draft.id)).status).toBe(204)
    expect((await h.deps.uploads.fromStore(draft.id))?.state).toBe('cancelled')
    const first = { offset: 10, expiresAtMs: h.clock.ms + 1000, version: 1 }
    expect(await h.deps.hot.saveProgress(draft.id, 'fence', first)).toBe(false)
  })

  it('that was accepted makes the submission incomplete again, or the replaced file count again', async () => {
    await h.put('d-4')
    const first = await h.acceptedUpload('d-4', 'plan')
    const second = await h.acceptedUpload('d-4', 'plan', { replaces: first.id })
    const complete = async () => (await h.call('GET', '/v1/submissions/d-4')).body['complete']
    expect(await complete()).toBe(true)
    await cancel(second.id)
    expect(await complete()).toBe(true)
    await cancel(first.id)
    expect(await complete()).toBe(false)
    expect(await objectsOf(first.id)).toEqual([version(first.id, 5)])
    const types = (await h.events()).filter(({ data }) => data.submissionId === 'd-4').map(({ type }) => type)
    expect(types.filter((type) => type.startsWith('submission.'))).toEqual([
      'submission.complete',
      'submission.incomplete',
    ])
  })

  it('is refused in a sealed revision, also after a return carried the file over', async () => {
    await h.put('d-5')
    const sealed = await h.acceptedUpload('d-5', 'plan')
    const other = await h.acceptedUpload('d-5', 'extras')
    const set = (state: 'sealed' | 'returned') =>
      h.deps.heads.commit('portal', 'd-5', (head) => {
        if (head === undefined) throw new Error('no head')
        const uploads = { plan: [sealed.id] }
        const revisions = [{ revision: 1, sealedAt: isoTime(START), uploads }]
        return { ...head, state, revisions, revision: state === 'sealed' ? 1 : 2 }
      })
    await set('sealed')
    for (const { id } of [sealed, other]) expectProblem(await cancel(id), 'SUBMISSION_SEALED', { status: 409 })
    await set('returned')
    expectProblem(await cancel(sealed.id), 'SUBMISSION_SEALED', { status: 409 })
    expect((await cancel(other.id)).status).toBe(204)
    expect(await objectsOf(sealed.id)).toContain('data')
  })
})

describe('DELETE of a submission', () => {
  it('deletes sealed files, cancels running uploads, and stays deleted', async () => {
    await h.put('gone', { uniqueKey: 'gone-key' })
    const accepted = await h.acceptedUpload('gone', 'plan')
    const running = await h.beginUpload('gone', 'extras')
    await h.receiveBytes(running)
    const unstored = await h.beginUpload('gone', 'extras')
    const token = await h.session('gone')
    expect((await h.call('DELETE', '/v1/submissions/gone')).status).toBe(204)
    for (const [method, url, body] of [
      ['GET', '/v1/submissions/gone', undefined],
      ['GET', '/v1/submissions/gone/uploads', undefined],
      ['GET', `/v1/uploads/${accepted.id}`, undefined],
      ['DELETE', `/v1/uploads/${accepted.id}`, undefined],
      ['PUT', '/v1/submissions/gone', { profile: 'tiny@1' }],
      ['PATCH', '/v1/submissions/gone/slots/plan', { metadata: {} }],
      ['POST', '/v1/submissions/gone/tickets', { slot: 'plan' }],
      ['POST', '/v1/submissions/gone/sessions', {}],
    ] as const)
      expectProblem(await h.call(method, url, { body }), 'SUBMISSION_DELETED')
    expectProblem(await h.call('GET', '/v1/submissions/gone', { token }), 'SUBMISSION_DELETED')
    for (const { id } of [accepted, running]) {
      expect((await h.deps.uploads.fromStore(id))?.state).toBe('cancelled')
      for (const key of await objectsOf(id)) expect(key).toContain(recordName(id))
    }
    expect((await h.deps.uploads.fromStore(unstored.id))?.state).toBe('cancelled')
    expect(await h.deps.hot.read(unstored.id)).toBeUndefined()
    expect((await h.put('heir', { uniqueKey: 'gone-key' })).status).toBe(201)
    const listed = (await h.call('GET', '/v1/submissions?limit=200')).body['items'] as { id: string }[]
    expect(listed.map(({ id }) => id)).not.toContain('gone')
  })

  it('repeated deletes leftovers', async () => {
    await h.put('again')
    await h.call('DELETE', '/v1/submissions/again')
    // Created by a request that had been let in before the deletion.
    const straggler = await h.beginUpload('again', 'plan')
    await h.storeUpload(straggler)
    expect((await h.call('DELETE', '/v1/submissions/again')).status).toBe(204)
    expect((await h.deps.uploads.fromStore(straggler.id))?.state).toBe('cancelled')
    for (const key of await objectsOf(straggler.id)) expect(key).toContain(recordName(straggler.id))
    expectProblem(await h.call('DELETE', '/v1/submissions/never-made'), 'SUBMISSION_UNKNOWN')
  })

  it('is carried to its end where its process died: originals, renditions, segments and tails go, tombstones stay', async () => {
    await h.put('halfway')
    const accepted = await h.acceptedUpload('halfway', 'plan')
    const running = await h.beginUpload('halfway', 'extras')
    await h.receiveBytes(running)
    const media = [
      objectKeys.rendition(accepted.id, 'token', 'page.jpg'),
      objectKeys.segment(running.id, 5, 'token'),
      objectKeys.tail(running.id, 5, 'token'),
    ]
    for (const key of media) await h.deps.store.createIfAbsent(key, Buffer.from('bytes'))
    await h.deps.heads.commit('portal', 'halfway', (head) => head && { ...head, state: 'deleted', event: null })
    expect(await objectsOf(accepted.id)).not.toEqual([])
    h.clock.ms += 61_000
    await settleDueSubmissions(h.deps)
    for (const { id } of [accepted, running]) {
      for (const key of await objectsOf(id)) expect(key).toContain(recordName(id))
      expect((await h.deps.uploads.fromStore(id))?.state).toBe('cancelled')
    }
    expect((await h.deps.heads.fromStore('portal', 'halfway'))?.state).toBe('deleted')
    // Looked through again for a day, more and more seldom.
    const dueAt = async () => Number(await h.deps.redis.hot.zscore('sn:due-erasures', 'portal/halfway'))
    const fromMs = h.clock.ms
    const minutes: number[] = []
    for (let atMs = await dueAt(); atMs > 0; atMs = await dueAt()) {
      minutes.push((atMs - fromMs) / 60_000)
      h.clock.ms = atMs
      await settleDueSubmissions(h.deps)
    }
    expect(minutes).toEqual([1, 10, 100, 1000, 1440])
  })

  it('accepts a content type without a body, as many clients send it', async () => {
    await h.put('typed')
    const headers = { 'content-type': 'application/json' }
    expect((await h.call('DELETE', '/v1/submissions/typed', { headers })).status).toBe(204)
  })
})
