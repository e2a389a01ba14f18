// How many uploads there may be, and what one more of them costs others: bounds by slot and submission, pages, and reads
// that are counted.

import { afterEach, expect, it, vi } from 'vitest'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
const open = async (env: Record<string, string> = {}) => {
  h = await openStillEnvironment(env)
}
afterEach(async () => await h.close())

const askTicket = (id: string, slot: string, token?: string) =>
  h.call('POST', `/v1/submissions/${id}/tickets`, { body: { slot }, ...(token === undefined ? {} : { token }) })
const rejected = async (id: string, slot: string) => {
  const draft = await h.beginUpload(id, slot)
  await h.storeUpload(draft)
  return await h.judgeUpload(draft.id, 'rejected')
}
type Page = { uploads: { id: string }[]; uploadsCursor?: string }

it('the number of uploads per slot is limited; cancelled ones do not count', async () => {
  await open({ MAX_UPLOADS_PER_SLOT: '2' })
  await h.put('s')
  await rejected('s', 'plan')
  const second = await rejected('s', 'plan')
  expectProblem(await askTicket('s', 'plan'), 'SLOT_UPLOADS_LIMIT', { details: { limit: 2 } })
  expect((await askTicket('s', 'extras')).status).toBe(201)
  expect((await h.call('DELETE', `/v1/uploads/${second.id}`)).status).toBe(204)
  expect((await askTicket('s', 'plan')).status).toBe(201)
})

it('an unfinished upload can be resumed in a slot that is at its limit', async () => {
  await open({ MAX_UPLOADS_PER_SLOT: '1' })
  await h.put('s')
  await h.beginUpload('s', 'plan')
  expect((await askTicket('s', 'plan')).status).toBe(201)
})

it('the number of uploads per submission is limited, whatever their end', async () => {
  await open({ MAX_UPLOADS_PER_SUBMISSION: '2' })
  await h.put('s')
  for (let i = 0; i < 2; i++) await h.call('DELETE', `/v1/uploads/${(await h.beginUpload('s', 'plan')).id}`)
  expectProblem(await askTicket('s', 'extras'), 'SUBMISSION_UPLOADS_LIMIT')
})

it('a ticket does not read the uploads of other slots', async () => {
  await open()
  await h.put('s')
  for (let i = 0; i < 20; i++) await rejected('s', 'extras')
  await rejected('s', 'plan')
  await askTicket('s', 'plan')
  const asked = vi.spyOn(h.deps.index, 'cachedMany')
  await askTicket('s', 'plan')
  expect(asked.mock.calls.flatMap(([keys]) => keys)).toHaveLength(1)
})

it('many uploads are paginated; a few come in one response as before', async () => {
  await open()
  await h.put('s')
  const ids: string[] = []
  for (let i = 0; i < 200; i++) ids.push((await h.beginUpload('s', 'plan')).id)
  const few = (await h.call('GET', '/v1/submissions/s?expand=uploads')).body as unknown as Page
  expect(few.uploads.map(({ id }) => id)).toEqual(ids)
  expect(few).not.toHaveProperty('uploadsCursor')
  ids.push((await h.beginUpload('s', 'plan')).id)
  const many = (await h.call('GET', '/v1/submissions/s?expand=uploads')).body as unknown as Page
  expect(many.uploads.map(({ id }) => id)).toEqual(ids.slice(0, 200))
  const { body } = await h.call('GET', `/v1/submissions/s/uploads?cursor=${many.uploadsCursor}`)
  expect([(body['items'] as { id: string }[]).map(({ id }) => id), body['nextCursor']]).toEqual([ids.slice(200), null])
})

it('large submissions are read in pieces and one at a time; small ones do not wait for them', async () => {
  await open()
  for (const id of ['s', 't', 'small']) await h.put(id)
  for (const id of ['s', 't']) for (let i = 0; i < 250; i++) await h.beginUpload(id, 'plan')
  await h.beginUpload('small', 'plan')
  const { hot } = h.deps
  const readMany = hot.readMany.bind(hot)
  const read: string[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  vi.spyOn(hot, 'readMany').mockImplementation(async (ids) => {
    const found = await readMany(ids)
    const submission = found[0]?.draft.submissionId ?? ''
    read.push(`${submission} ${ids.length}`)
    if (submission !== 'small') await held
    return found
  })
  const large = ['s', 't', 's'].map((id) => h.call('GET', `/v1/submissions/${id}`))
  await waitFor(() => read.length === 1, { what: 'the first piece' })
  expect((await h.call('GET', '/v1/submissions/small')).status).toBe(200)
  release()
  for (const { status } of await Promise.all(large)) expect(status).toBe(200)
  const pieces = (id: string) => [`${id} 100`, `${id} 100`, `${id} 50`]
  const [first = ''] = read
  expect(read.filter((each) => each !== 'small 1')).toHaveLength(9)
  expect(read.slice(0, 2)).toEqual([first, 'small 1'])
  const rest = read.filter((each) => each !== 'small 1')
  for (const at of [0, 3, 6]) expect(rest.slice(at, at + 3)).toEqual(pieces((rest[at] ?? '').split(' ')[0] ?? ''))
})

it('reads are limited: of a page per person, of a portal per submission', async () => {
  await open({ READS_PER_MINUTE: '3' })
  for (const id of ['s', 't']) await h.put(id)
  const token = await h.session('s', { subject: 'reader' })
  const elsewhere = await h.session('t', { subject: 'another' })
  for (let i = 0; i < 3; i++) expect((await h.call('GET', '/v1/submissions/s', { token })).status).toBe(200)
  for (const path of ['?expand=uploads', '/uploads', '/attempts'])
    expectProblem(await h.call('GET', `/v1/submissions/s${path}`, { token }), 'RATE_LIMITED')
  expect((await h.call('GET', '/v1/submissions/t', { token: elsewhere })).status).toBe(200)
  for (let i = 0; i < 3; i++) expect((await h.call('GET', '/v1/submissions/s')).status).toBe(200)
  expectProblem(await h.call('GET', '/v1/submissions/s'), 'RATE_LIMITED')
  expect((await h.call('GET', '/v1/submissions/t')).status).toBe(200)
})

it('the portal sets the person: a page cannot set one if its session has none', async () => {
  await open({ CREATIONS_PER_MINUTE: '1' })
  await h.put('s')
  const token = await h.session('s', { can: ['upload'] })
  const subjectOf = async (subject: string) => {
    const { body } = await h.call('POST', '/v1/submissions/s/tickets', { token, body: { slot: 'plan', subject } })
    return (await h.deps.tokens.verifyTicket(String(body['ticket']), { checkExpiry: true })).subject
  }
  expect([await subjectOf('one'), await subjectOf('two')]).toEqual([null, null])
})
