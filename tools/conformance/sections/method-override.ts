// Core protocol: X-HTTP-Method-Override.
import { expectOffset, expectPresent, expectStatus } from '../expect.ts'
import { rule, type Section, Skip, untested } from '../model.ts'

const header = 'X-HTTP-Method-Override'

export const methodOverride: Section = {
  key: 'override',
  title: 'Core protocol: X-HTTP-Method-Override',
  rules: [
    rule('MUST', 'interpreted', 'X-HTTP-Method-Override replaces the method of the request', {
      'POST as PATCH': async (t) => {
        const upload = await t.create()
        const spec = t.patchSpec(upload, 0, t.payload.bytes(0, 1100), { [header]: 'PATCH' })
        const x = await t.send({ ...spec, method: 'POST' })
        expectStatus(x, 204)
        expectOffset(x, 1100)
      },
      'POST as HEAD': async (t) => {
        const upload = await t.create()
        const spec = { method: 'POST', url: upload.url, headers: { [header]: 'HEAD' } }
        const x = await t.send({ ...spec, answerTo: 'HEAD' })
        expectStatus(x, 200, 204)
        expectPresent(x, 'Upload-Offset')
      },
      'POST as DELETE': async (t) => {
        if (!t.announces('termination')) throw new Skip('the server announces no termination')
        const upload = await t.create()
        const x = await t.send({ method: 'POST', url: upload.url, headers: { [header]: 'DELETE' } })
        expectStatus(x, 204)
      },
    }),
    rule('MUST', 'actual-ignored', 'The actual method is ignored if the header is present', {
      'PATCH as HEAD stores nothing': async (t) => {
        const upload = await t.create()
        await t.patch(upload, 0, t.payload.bytes(0, 1100), { [header]: 'HEAD' })
        await t.expectOffsetStays(upload, 0, `PATCH with ${header}: HEAD`)
      },
      'DELETE as HEAD removes nothing': async (t) => {
        const upload = await t.create()
        await t.send({ method: 'DELETE', url: upload.url, headers: { [header]: 'HEAD' } })
        await t.expectOffsetStays(upload, 0, `DELETE with ${header}: HEAD`)
      },
      'PUT as PATCH stores the bytes': async (t) => {
        const upload = await t.create()
        const spec = t.patchSpec(upload, 0, t.payload.bytes(0, 1100), { [header]: 'PATCH' })
        const x = await t.send({ ...spec, method: 'PUT' })
        expectStatus(x, 204)
        expectOffset(x, 1100)
      },
    }),
    untested('SHOULD', 'client', 'Clients that cannot send PATCH or DELETE use the header', 'binds the client'),
  ],
}
