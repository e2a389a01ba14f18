// Extension termination.
import { expectStatus, succeeded } from '../expect.ts'
import { type Check, Deviation, rule, type Section, untested } from '../model.ts'

export const termination: Section = {
  key: 'termination',
  title: 'Termination',
  extension: 'termination',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server with this extension announces termination',
      {
        'where DELETE removes an upload': async (t) => {
          if (t.announces('termination')) return
          const { url } = await t.create()
          const x = await t.send({ method: 'DELETE', url })
          if (!succeeded(x)) return
          const status = (await t.head({ url })).response?.status
          if (status === 404 || status === 410) throw new Deviation('termination in Tus-Extension', x.got, x.request)
        },
      },
      { always: true },
    ),
    rule('MUST', 'status-204', 'DELETE on an existing upload is answered with 204', {
      'an upload without bytes': async (t) => {
        expectStatus(await t.send({ method: 'DELETE', url: (await t.create()).url }), 204)
      },
      'an unfinished upload': async (t) => {
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        expectStatus(await t.send({ method: 'DELETE', url: upload.url }), 204)
      },
      'a complete upload': async (t) => {
        expectStatus(await t.send({ method: 'DELETE', url: (await t.createComplete()).url }), 204)
      },
      'with Content-Length: 0': async (t) => {
        const headers = { 'Content-Length': '0' }
        expectStatus(await t.send({ method: 'DELETE', url: (await t.create()).url, headers }), 204)
      },
    }),
    untested('SHOULD', 'freed', 'The space of the upload is freed', 'the wire does not show it'),
    rule('SHOULD', 'gone', 'Later requests to the URL are answered with 404 or 410', {
      HEAD: afterwards('HEAD'),
      PATCH: afterwards('PATCH'),
      DELETE: afterwards('DELETE'),
      'and a PATCH does not bring it back': async (t) => {
        const upload = await t.create()
        await t.send({ method: 'DELETE', url: upload.url })
        await t.patch(upload, 0, t.payload.bytes(0, 1100))
        expectStatus(await t.head(upload), 404, 410)
      },
    }),
  ],
}

function afterwards(method: 'HEAD' | 'PATCH' | 'DELETE'): Check {
  return async (t) => {
    const upload = await t.create()
    await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
    expectStatus(await t.send({ method: 'DELETE', url: upload.url }), 204)
    const x =
      method === 'PATCH'
        ? await t.patch(upload, 1100, t.payload.bytes(1100, 1200))
        : await t.send({ method, url: upload.url })
    expectStatus(x, 404, 410)
  }
}
