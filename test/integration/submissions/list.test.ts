import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { START } from '../../support/clock.ts'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
  for (let i = 0; i < 7; i++) {
    h.clock.ms = START + i * 1000
    await h.put(`l-${i}`)
  }
  await h.put('theirs', {}, OTHER_KEY)
})
afterAll(async () => await h.close())

const page = async (query: Record<string, string | number> = {}) => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) search.set(name, String(value))
  const { status, body } = await h.call('GET', `/v1/submissions?${search}`)
  expect(status).toBe(200)
  return {
    ids: (body['items'] as { id: string }[]).map(({ id }) => id),
    next: body['nextCursor'] as string | null,
  }
}
/** All pages, at most fifty. */
const everything = async (query: Record<string, string | number>) => {
  const ids: string[] = []
  let { ids: found, next } = await page(query)
  ids.push(...found)
  for (let i = 0; i < 50 && next !== null; i++) {
    ;({ ids: found, next } = await page({ ...query, cursor: next }))
    ids.push(...found)
  }
  return ids
}
const ALL = ['l-0', 'l-1', 'l-2', 'l-3', 'l-4', 'l-5', 'l-6']

describe('GET /v1/submissions', () => {
  it('pages in the order of the last change, without gaps or repeats', async () => {
    expect(await page()).toEqual({ ids: ALL, next: null })
    for (const limit of [1, 2, 3, 7, 8]) expect(await everything({ limit })).toEqual(ALL)
    expect((await page({ limit: 7 })).next).toBeNull()
  })

  it('misses no submission that changes during paging', async () => {
    const first = await page({ limit: 3 })
    h.clock.ms = START + 60_000
    await h.put('l-1', { graceSeconds: 1 })
    await h.put('l-4', { graceSeconds: 1 })
    const rest = await everything({ limit: 3, cursor: first.next ?? '' })
    expect(rest).toEqual(['l-3', 'l-5', 'l-6', 'l-1', 'l-4'])
  })

  it('filters by changes since a time', async () => {
    expect(await everything({ updatedSince: isoTime(START + 5000) })).toEqual(['l-5', 'l-6', 'l-1', 'l-4'])
    expect(await everything({ updatedSince: isoTime(START + 60_001) })).toEqual([])
  })

  it('filters by completeness and state', async () => {
    h.clock.ms = START + 120_000
    await h.acceptedUpload('l-2', 'plan')
    await h.deps.heads.commit('portal', 'l-6', (head) => head && { ...head, state: 'sealed' })
    expect(await everything({ complete: 'true', limit: 2 })).toEqual(['l-2'])
    expect(await everything({ state: 'sealed' })).toEqual(['l-6'])
    expect(await everything({ state: 'open', complete: 'false', limit: 2 })).toEqual([
      'l-0',
      'l-3',
      'l-5',
      'l-1',
      'l-4',
    ])
    expect(await everything({ state: 'returned' })).toEqual([])
  })

  it('pages through many changes of one millisecond', async () => {
    const names = Array.from({ length: 450 }, (_, i) => `l-0${String(i).padStart(4, '0')}`)
    // Members without a head stand for ones that were deleted while the list was read.
    await h.deps.redis.hot.zadd(redisKeys.submissionsOf('portal'), ...names.flatMap((name) => [START + 10, name]))
    expect(await everything({ limit: 3 })).toEqual(['l-0', 'l-3', 'l-5', 'l-1', 'l-4', 'l-2', 'l-6'])
    await h.deps.redis.hot.zrem(redisKeys.submissionsOf('portal'), ...names)
  })

  it('is separate for each portal', async () => {
    const { body } = await h.call('GET', '/v1/submissions', { token: OTHER_KEY })
    expect((body['items'] as { id: string }[]).map(({ id }) => id)).toEqual(['theirs'])
  })

  it('refuses a cursor that it did not create', async () => {
    for (const cursor of ['x', '!!', Buffer.from('{}').toString('base64url'), Buffer.from('[1]').toString('base64url')])
      expectProblem(await h.call('GET', `/v1/submissions?cursor=${cursor}`), 'CURSOR_INVALID')
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'state=lost', 'complete=perhaps', 'updatedSince=today'])
      expectProblem(await h.call('GET', `/v1/submissions?${query}`), 'BAD_REQUEST')
  })

  it('computes again for a filter by completeness only what has changed since', async () => {
    h.clock.ms = START + 10 * 60_000
    await h.deps.redis.hot.del(redisKeys.completeness('portal'))
    const read: string[] = []
    const { require } = h.deps.heads
    h.deps.heads.require = (owner, id) => {
      read.push(id)
      return require.call(h.deps.heads, owner, id)
    }
    try {
      expect(await everything({ complete: 'true' })).toEqual(['l-2'])
      expect(read.toSorted()).toEqual(ALL)
      read.length = 0
      expect(await everything({ complete: 'true' })).toEqual(['l-2'])
      expect(read).toEqual(['l-2'])
      expect((await everything({ complete: 'false', limit: 2 })).toSorted()).toEqual(ALL.filter((id) => id !== 'l-2'))
      await h.acceptedUpload('l-3', 'plan')
      read.length = 0
      expect(await everything({ complete: 'true' })).toEqual(['l-2', 'l-3'])
      expect(read).toEqual(['l-2', 'l-3'])
      read.length = 0
      // It has just changed: that it is complete is not noted yet.
      expect(await everything({ complete: 'false' })).not.toContain('l-3')
      expect(read).toContain('l-3')
      expect(read).not.toContain('l-2')
    } finally {
      h.deps.heads.require = require
    }
  })
})
