// Bad input: ids of what is not there, and ids that try to be paths.

import { describe, expect, test } from 'vitest'
import { pdf } from '../../../support/media/pdfs.ts'
import { OFFSET_TYPE, send } from '../../../support/tus.ts'
import { API_KEY, PROFILE } from '../installation.ts'
import { expectRefused, sendRaw } from '../refusals.ts'
import type { Stage } from './stage.ts'

export function unknownTests(stage: Stage): void {
  describe('what is not there', () => {
    test('a submission, a slot, an upload, a profile: 404; a submission that was deleted: 410', async () => {
      const { stack } = stage
      for (const path of ['never', 'never/uploads', 'never/events'])
        expectRefused(await stack.call('GET', `/v1/submissions/${path}`), 404, 'SUBMISSION_UNKNOWN')
      for (const [path, body] of [
        ['tickets', { slot: 'lesson_plan' }],
        ['sessions', {}],
      ] as const)
        expectRefused(await stack.call('POST', `/v1/submissions/never/${path}`, body), 404, 'SUBMISSION_UNKNOWN')
      const id = await stack.submission()
      const tickets = `/v1/submissions/${id}/tickets`
      expectRefused(await stack.call('POST', tickets, { slot: 'lesson' }), 404, 'SLOT_UNKNOWN')
      expectRefused(await stack.call('PUT', '/v1/submissions/x', { profile: 'no.K9@1' }), 404, 'PROFILE_UNKNOWN')
      const invented = 'a'.repeat(40)
      expectRefused(await stack.call('GET', `/v1/uploads/${invented}`), 404, 'UPLOAD_UNKNOWN')
      expectRefused(await stack.call('DELETE', `/v1/uploads/${invented}`), 404, 'UPLOAD_UNKNOWN')
      expectRefused(await stack.call('POST', `/v1/uploads/${invented}/links`, {}), 404, 'UPLOAD_UNKNOWN')

      const teacher = await stack.user(id, 'lesson_plan')
      expect((await teacher.head(`${stack.service.url}/files/${invented}`)).status).toBe(404)
      const url = await teacher.create({ length: 10, name: 'a.pdf' })
      expect((await stack.call('DELETE', `/v1/submissions/${id}`)).status).toBe(204)
      expectRefused(await stack.call('GET', `/v1/submissions/${id}`), 410, 'SUBMISSION_DELETED')
      expectRefused(await teacher.post({ length: 10, name: 'a.pdf' }), 410, 'SUBMISSION_DELETED')
      expect((await teacher.head(url)).status).toBe(410)
    })

    test('ids and names with slashes and dots lead nowhere', async () => {
      const { stack } = stage
      const { url: origin } = stack.service
      const json = { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' }
      const put = (id: string) =>
        sendRaw(origin, 'PUT', `/v1/submissions/${id}`, json, JSON.stringify({ profile: PROFILE }))
      for (const id of ['a%2fb', '..', '.', '%2e%2e', '..%2f..%2fetc', '%00', 'a%5cb', '%E0%B8%81', 'a'.repeat(129)])
        expectRefused(await put(id), 400, 'ID_INVALID')
      expectRefused(await put('a'.repeat(1000)), 400, 'ID_INVALID')
      for (const id of ['a/b', '../etc/passwd']) expectRefused(await put(id), 404, 'NOT_FOUND')

      const teacher = await stack.user(await stack.submission(), 'lesson_plan')
      const tus = { ...teacher.headers, 'Content-Type': OFFSET_TYPE, 'Upload-Offset': '0' } as Record<string, string>
      for (const id of ['a/b/c', '../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%00', '%2e%2e', '.', '..', 'a%5cb']) {
        expectRefused(await sendRaw(origin, 'PATCH', `/files/${id}`, tus, 'x'), 404, 'UPLOAD_UNKNOWN')
        expectRefused(await sendRaw(origin, 'DELETE', `/files/${id}`, tus), 404, 'UPLOAD_UNKNOWN')
        expect((await sendRaw(origin, 'HEAD', `/files/${id}`, tus)).status).toBe(404)
      }
      for (const id of ['..', '%2e%2e', '..%2f..%2fstore', '%00', 'a%5cb'])
        expectRefused(await sendRaw(origin, 'GET', `/v1/uploads/${id}`, json), 404, 'UPLOAD_UNKNOWN')
      for (const path of ['..', '../../etc/passwd', '..%2f..%2fetc%2fpasswd', 'a.b.c/../x', '%00'])
        expectRefused(await sendRaw(origin, 'GET', `/media/${path}`), 403, 'LINK_INVALID')
      for (const profile of ['../../etc/passwd', '..', 'teacher.K4@../1'])
        expectRefused(await stack.call('PUT', '/v1/submissions/x', { profile }), 404, 'PROFILE_UNKNOWN')
    })

    test('dots within an id are an id, and a path within a file’s name is a name', async () => {
      const { stack, corpus } = stage
      const id = await stack.submission('2569..1.~_-')
      const name = '../../../แผน/การสอน.pdf'
      const upload = await stack.handIn(id, 'lesson_plan', await pdf(corpus, 'named.pdf'), name)
      expect((await stack.until(upload, ({ state }) => state === 'ready')).declared.filename).toBe(name)
      const link = (await stack.portal.links(upload)).find((one) => one.name === 'original')
      const { status, headers } = await send('GET', link?.url ?? '')
      expect(status).toBe(200)
      expect(decodeURIComponent(headers['content-disposition'] ?? '')).not.toMatch(/[/\\]|\.\./)
    })
  })
}
