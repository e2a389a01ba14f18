import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

describe('ids', () => {
  it.each([
    ['a', 'a'],
    ['dots', 'TH-2569.k4~r1_x'],
    ['two dots in a name', 'a..b'],
    ['128 characters', 'x'.repeat(128)],
    ['a tilde escaped', 'a%7Eb'],
  ])('takes %s', async (_, id) => {
    const { status, body } = await h.put(id)
    expect(status).toBe(201)
    expect(body['id']).toBe(decodeURIComponent(id))
    expect((await h.call('GET', `/v1/submissions/${id}`)).body['id']).toBe(decodeURIComponent(id))
  })

  it.each([
    ['a slash', 'a%2Fb'],
    ['a climb', '..%2F..%2Fetc'],
    ['a space', 'a%20b'],
    ['a colon', 'a:b'],
    ['Thai', encodeURIComponent('คำขอ')],
    ['129 characters', 'x'.repeat(129)],
    ['more than the router takes', 'x'.repeat(400)],
    ['a NUL', 'a%00'],
  ])('refuses %s', async (_, id) => {
    const url = `/v1/submissions/${id}`
    expectProblem(await h.call('PUT', url, { body: { profile: 'tiny' } }), 'ID_INVALID')
    expectProblem(await h.call('GET', url), 'ID_INVALID')
    expectProblem(await h.call('DELETE', url), 'ID_INVALID')
  })

  it('refuses a broken escape', async () => {
    expectProblem(await h.call('GET', '/v1/submissions/%E0%A4%A'), 'BAD_REQUEST')
  })

  it('have a namespace per portal', async () => {
    await h.put('shared', { metadata: { of: 'portal' } })
    expectProblem(await h.call('GET', '/v1/submissions/shared', { token: OTHER_KEY }), 'SUBMISSION_UNKNOWN')
    const theirs = await h.put('shared', { metadata: { of: 'other' } }, OTHER_KEY)
    expect(theirs.status).toBe(201)
    expect((await h.call('GET', '/v1/submissions/shared')).body['metadata']).toEqual({ of: 'portal' })
  })
})
