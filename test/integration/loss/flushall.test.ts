// Redis is wiped in the middle of twenty uploads and ten transcodes. The object store is the truth: every document, number,
// receipt, ticket and event is as it was, every upload ends as it would have, and no webhook is delivered twice.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import type { Delivery } from '../../support/receiver.ts'
import { openSse, type SseClient } from '../events/sse-client.ts'
import { type Json, openSchool, type School } from './school.ts'

type Upload = Awaited<ReturnType<School['upload']>>

const FINAL = { good: 'ready', lesson: 'ready', long: 'rejected' } as const

overBothStores((store) => {
  // Three uploads each; a bucket is asked in the same way, but a test server of it is slower.
  const names = Array.from({ length: store === 'local' ? 10 : 4 }, (_, i) => `wiped-${i}`)
  const [early, late] = [names.slice(0, names.length / 2), names.slice(names.length / 2)]
  const last = names.at(-1) ?? ''
  let school: School
  beforeAll(async () => {
    school = await openSchool(store)
  })
  afterAll(() => school?.close())

  test('FLUSHALL during running work loses nothing', async () => {
    const { deps, upload, document, get, receiver, stack } = school
    const delivered = watchDeliveries(receiver)
    for (const name of names) await school.submission(name)
    const kept = await openPage(school, 'wiped-0')

    // Twenty uploads: a quarter settled, one on its way with open requests, one left in the middle, one just whole.
    const settled = await all(late, (name) => upload(name, 'outcome', 'good', 'whole'))
    await until(school, settled)
    const open = await all(early, (name, i) => upload(name, 'plan', i > 0 ? 'good' : 'long', 'open'))
    const half = await all(late, (name, i) => upload(name, 'plan', i > 0 ? 'good' : 'long', 'half'))
    // Ten transcodes, one of them running.
    const films = await all(names, (name) => upload(name, 'clip', 'lesson', 'whole'))
    await waitFor(async () => (await deps.queues.byLane.transcode.getActiveCount()) > 0, { intervalMs: 5 })
    await until(school, films, ['accepted', 'ready'])
    const receipt = await get(`/v1/uploads/${settled[0]?.id}/receipt`)
    const unused = await stack.ticket('wiped-0', 'outcome')
    const page = await openPage(school, last)
    page.close()
    const first = await school.events()
    const quiet = [...settled, ...half]
    const before = await all(quiet, ({ id }) => document(id))
    const heads = await all(names, (name) => get(`/v1/submissions/${name}`))
    const attempts = await all(names, (name) => get(`/v1/submissions/${name}/attempts`))
    const held = delivered.holdNext()
    const judging = await all(early, (name) => upload(name, 'outcome', 'good', 'whole'))
    await held.reached

    await deps.attempts.flush()
    await deps.redis.hot.flushall()

    // While something could be missing from a list, it is not answered.
    const lists = await all(['/v1/submissions', '/v1/events'], (path) => stack.call('GET', path))
    for (const { status, body } of lists) expect([status, body['code']]).toEqual([503, 'INDEX_REBUILDING'])
    const rebuilt = await deps.rebuilder.heal()
    held.release()
    expect(rebuilt).toMatchObject({ submissions: names.length, uploads: 3 * names.length })

    // Documents, field by field.
    expect(withoutProgress(await all(quiet, ({ id }) => document(id)))).toEqual(withoutProgress(before))
    const listed = await get('/v1/submissions?limit=200')
    // One that changes while the list is read comes again, at its end.
    expect([...new Set(itemsOf(listed).map(({ id }) => id))].toSorted()).toEqual(names)
    for (const [i, name] of names.entries()) {
      const now = await get(`/v1/submissions/${name}`)
      const then = heads[i] ?? {}
      for (const field of ['id', 'profile', 'state', 'revision', 'deadline', 'graceSeconds', 'createdAt'])
        expect(now[field]).toEqual(then[field])
      // In the first half a verdict was still to come.
      if (i >= early.length) expect([now['revisions'], now['slots']]).toEqual([then['revisions'], then['slots']])
      expect(now['sequence']).toBeGreaterThanOrEqual(Number(then['sequence']))
      const attempted = itemsOf(await get(`/v1/submissions/${name}/attempts`))
      const ids = attempted.map(({ id }) => id)
      for (const { id } of itemsOf(attempts[i])) expect(ids).toContain(id)
    }
    // Receipts: the old one still verifies, a new one says the same.
    const verified = await stack.call('POST', '/v1/receipts/verify', { body: { receipt: receipt['receipt'] } })
    expect(verified).toMatchObject({ status: 200, body: { valid: true } })
    const again = await get(`/v1/uploads/${settled[0]?.id}/receipt`)
    expect(withoutTime(again['claims'])).toEqual(withoutTime(receipt['claims']))
    // A key is still taken; a ticket is still good, and one whose place is taken is refused as before.
    const second = await stack.call('PUT', '/v1/submissions/another', {
      body: {
        profile: 'test@1',
        uniqueKey: 'person wiped-3',
      },
    })
    expect(second).toMatchObject({
      status: 409,
      body: { code: 'SUBMISSION_DUPLICATE', existingId: 'wiped-3' },
    })

    // Uploads go on where their durable bytes end.
    for (const { sending, bytes, half } of open) sending?.end(bytes.subarray(half))
    for (const one of [...open, ...half]) await finish(one)
    await until(school, [...settled, ...open, ...half, ...films, ...judging])
    expect(await useTicket(school, unused)).toBe(201)

    // Numbers: none twice, and in each submission none below what was given before.
    const everything = await waitFor(async () => {
      const { items } = await school.events()
      const complete = items.filter(({ type }) => type === 'submission.complete')
      return complete.length === names.length && items
    })
    for (const [i, name] of names.entries()) {
      const numbers = everything.flatMap(({ data }) =>
        data['submissionId'] === name ? [Number(data['sequence'])] : [],
      )
      expect(new Set(numbers).size).toBe(numbers.length)
      const known = new Set(first.items.map(({ id }) => id))
      const later = everything.filter(({ id, data }) => !known.has(id) && data['submissionId'] === name)
      const told = first.items.filter(({ data }) => data['submissionId'] === name)
      const highest = Math.max(...told.map(({ data }) => Number(data['sequence'])))
      for (const { data } of later) expect(Number(data['sequence'])).toBeGreaterThan(highest)
      expect(Number((await get(`/v1/submissions/${name}`))['sequence'])).toBeGreaterThanOrEqual(
        Number(heads[i]?.['sequence']),
      )
    }

    // The log of a portal that was away goes on: nothing twice, nothing left out.
    const rest = await school.events(first.cursor)
    const read = [...first.items, ...rest.items].map(({ id }) => id)
    expect(new Set(read).size).toBe(read.length)
    expect(read.toSorted()).toEqual(everything.map(({ id }) => id).toSorted())
    // So do a page that stayed, and one that comes back.
    const of = (name: string) => everything.filter(({ data }) => data['submissionId'] === name).map(({ id }) => id)
    await waitFor(() => of('wiped-0').every((id) => idsOf(kept).includes(id)), {
      what: 'the page that stayed',
    })
    expect(idsOf(kept).toSorted()).toEqual(of('wiped-0').toSorted())
    const back = await openPage(school, last, page.lastEventId)
    const ofLast = of(last)
    const missed = ofLast.slice(ofLast.indexOf(page.lastEventId) + 1)
    await waitFor(() => back.events.some(({ event }) => event === 'snapshot') || idsOf(back).length >= missed.length)
    if (!back.events.some(({ event }) => event === 'snapshot')) expect(idsOf(back)).toEqual(missed)
    for (const client of [kept, back]) client.close()

    // Every event is delivered, and none twice.
    const wanted = everything.map(({ id }) => id).toSorted()
    await waitFor(() => delivered.ids().length >= wanted.length, { what: 'all webhooks' })
    expect(delivered.ids().toSorted()).toEqual(wanted)
  })
})

async function all<T, R>(items: readonly T[], work: (item: T, i: number) => Promise<R>): Promise<R[]> {
  return await Promise.all(items.map(work))
}

/** Each is ready or rejected, as its file deserves; or in one of `states`. */
async function until(school: School, uploads: readonly Upload[], states?: string[]): Promise<void> {
  for (const { id, kind } of uploads)
    await waitFor(async () => (states ?? [FINAL[kind]]).includes(String((await school.document(id))['state'])), {
      what: `${kind} ${id}`,
      intervalMs: 100,
    })
}

/** As a tus client goes on: it asks where it stands, and sends the rest. */
async function finish({ user, url, bytes, sending, half }: Upload): Promise<void> {
  await sending?.reply.catch(() => undefined)
  const offset = await waitFor(async () => {
    const { status, headers } = await user.head(url)
    return status === 200 && { value: Number(headers['upload-offset']) }
  })
  expect(offset.value).toBeLessThanOrEqual(bytes.length)
  if (sending === undefined) expect(offset.value).toBe(half)
  if (offset.value < bytes.length)
    expect((await user.patch(url, offset.value, bytes.subarray(offset.value))).status).toBe(204)
}

async function useTicket({ stack }: School, ticket: string): Promise<number> {
  const response = await fetch(`${stack.url}/files`, {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', 'upload-length': '10', authorization: `Bearer ${ticket}` },
  })
  return response.status
}

async function openPage(school: School, name: string, lastEventId?: string): Promise<SseClient> {
  const client = await openSse(`${school.stack.url}/v1/submissions/${name}/events`, {
    authorization: `Bearer ${PORTAL_KEY}`,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  })
  expect(client.status).toBe(200)
  if (lastEventId === undefined) await client.seen('snapshot')
  return client
}

function itemsOf(page: Json | undefined): Json[] {
  return (page?.['items'] ?? []) as Json[]
}

/** What the page was told, but for progress and documents. */
function idsOf({ events }: SseClient): string[] {
  return events.filter(({ event }) => event !== 'snapshot' && event !== 'progress').map(({ id }) => id)
}

function withoutProgress(documents: readonly Json[]): Json[] {
  return documents.map(({ progress: _, ...rest }) => rest)
}

function withoutTime(claims: unknown): Json {
  const { iat: _, ...rest } = claims as Json
  return rest
}

/** Which events the portal has acknowledged; one delivery can be kept waiting for its answer. */
function watchDeliveries(receiver: School['receiver']) {
  const acknowledged: string[] = []
  let gate: { reached: () => void; released: Promise<void> } | undefined
  receiver.reply = async ({ headers }: Delivery) => {
    const mine = gate
    gate = undefined
    mine?.reached()
    await mine?.released
    acknowledged.push(String(headers['webhook-id']))
    return { status: 204 }
  }
  return {
    ids: () => acknowledged,
    holdNext() {
      let release: () => void = () => undefined
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      const reached = new Promise<void>((resolve) => {
        gate = { reached: resolve, released }
      })
      return { reached, release }
    },
  }
}
