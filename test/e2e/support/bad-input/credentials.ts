// Bad input: keys, sessions and tickets that are missing, wrong, or for something else.

import { describe, expect, test } from 'vitest'
import { pdfBytes } from '../../../support/media/pdfs.ts'
import { idOf, tusUser } from '../../../support/tus.ts'
import { API_KEY, PROFILE } from '../installation.ts'
import { expectRefused, forged } from '../refusals.ts'
import { type Stage, session } from './stage.ts'

export function credentialTests(stage: Stage): void {
  describe('credentials', () => {
    test('an API key that is missing, wrong, or somebody’s ticket: 401, and nothing is made', async () => {
      const { stack } = stage
      const id = await stack.submission()
      const calls: [string, string, object?][] = [
        ['PUT', '/v1/submissions/never', { profile: PROFILE }],
        ['GET', `/v1/submissions/${id}`],
        ['GET', '/v1/submissions'],
        ['DELETE', `/v1/submissions/${id}`],
        ['POST', `/v1/submissions/${id}/tickets`, { slot: 'lesson_plan' }],
        ['POST', `/v1/submissions/${id}/sessions`, {}],
        ['GET', `/v1/submissions/${id}/events`],
        ['GET', '/v1/events'],
        ['GET', '/v1/profiles'],
      ]
      for (const [method, path, body] of calls) {
        for (const key of [null, 'nonsense', `${API_KEY}x`, ''])
          expectRefused(await stack.call(method, path, body, key), 401, 'API_KEY_INVALID')
        const mistaken = (await stack.portal.ticket(id, 'lesson_plan')).ticket
        expectRefused(await stack.call(method, path, body, mistaken), 401, 'SESSION_INVALID')
      }
      expectRefused(await stack.call('GET', '/v1/submissions/never'), 404, 'SUBMISSION_UNKNOWN')
      expect(await stack.portal.submission(id)).toMatchObject({ id, state: 'open' })
    })

    test('a session that is forged, of another submission, or may not do this: 401, 404, 403', async () => {
      const { stack } = stage
      const [mine, other] = [await stack.submission(), await stack.submission()]
      const reader = await session(stage, mine, ['read'])
      expectRefused(
        await stack.call('GET', `/v1/submissions/${mine}`, undefined, forged(reader)),
        401,
        'SESSION_INVALID',
      )
      const streamWith = (token: string) =>
        stack.call('GET', `/v1/submissions/${mine}/events?access_token=${token}`, undefined, null)
      expectRefused(await streamWith(''), 401, 'API_KEY_INVALID')
      // An address holds a session or nothing: no API key either.
      for (const token of ['nonsense', API_KEY, forged(reader)])
        expectRefused(await streamWith(token), 401, 'SESSION_INVALID')
      // Only event streams take a token from the address, which ends up in logs elsewhere.
      expectRefused(
        await stack.call('GET', `/v1/submissions/${mine}?access_token=${reader}`, undefined, null),
        401,
        'API_KEY_INVALID',
      )
      for (const path of [other, `${other}/uploads`, `${other}/events`])
        expectRefused(await stack.call('GET', `/v1/submissions/${path}`, undefined, reader), 404, 'SUBMISSION_UNKNOWN')
      const asked: [string, string, object?][] = [
        ['POST', `/v1/submissions/${mine}/tickets`, { slot: 'lesson_plan' }],
        ['POST', `/v1/submissions/${mine}/sessions`, {}],
        ['PUT', `/v1/submissions/${mine}`, { profile: 'teacher.K2@1' }],
        ['DELETE', `/v1/submissions/${mine}`],
        ['GET', '/v1/submissions'],
        ['GET', '/v1/events'],
      ]
      for (const [method, path, body] of asked)
        expectRefused(await stack.call(method, path, body, reader), 403, 'SESSION_SCOPE')
      expect(await stack.portal.submission(mine)).toMatchObject({ profile: PROFILE })
    })

    test('a ticket that is missing, forged, or another kind of token: 401, and the upload is as it was', async () => {
      const { stack } = stage
      const id = await stack.submission()
      const good = (await stack.portal.ticket(id, 'lesson_plan')).ticket
      const owner = tusUser(stack.service.url, good)
      const url = await owner.create({ length: 4000, name: 'a.pdf' })
      const uploader = await session(stage, id, ['read', 'upload'])
      for (const token of [null, 'nonsense', forged(good), API_KEY, uploader]) {
        const stranger = tusUser(stack.service.url, token)
        expectRefused(await stranger.post({ length: 10, name: 'a.pdf' }), 401, 'TICKET_INVALID')
        expectRefused(await stranger.patch(url, 0, Buffer.alloc(10)), 401, 'TICKET_INVALID')
        expectRefused(await stranger.remove(url), 401, 'TICKET_INVALID')
        expect((await stranger.head(url)).status).toBe(401)
      }
      expect(await owner.offset(url)).toBe(0)
      expect(await stack.portal.uploads(id)).toHaveLength(1)
    })

    test('a ticket of another slot or submission: 403, and the upload is as it was', async () => {
      const { stack } = stage
      const id = await stack.submission()
      const bytes = pdfBytes({ pages: 40 })
      const owner = await stack.user(id, 'lesson_plan')
      const url = await owner.create({ length: bytes.length, name: 'a.pdf' })
      expect((await owner.patch(url, 0, bytes.subarray(0, 6000))).status).toBe(204)
      for (const stranger of [
        await stack.user(id, 'academic_work'),
        await stack.user(await stack.submission(), 'lesson_plan'),
      ]) {
        expectRefused(await stranger.patch(url, 6000, bytes.subarray(6000)), 403, 'TICKET_SCOPE')
        expectRefused(await stranger.remove(url), 403, 'TICKET_SCOPE')
        expect((await stranger.head(url)).status).toBe(403)
      }
      expect(await owner.offset(url)).toBe(6000)
      expect((await owner.patch(url, 6000, bytes.subarray(6000))).status).toBe(204)
      expect((await stack.until(idOf(url), ({ accepted }) => accepted)).measured).toMatchObject({ pages: 40 })
    })
  })
}
