// Extension creation: deferred length (announced as creation-defer-length).
import { expectAbsent, expectHeader, expectOffset, expectPresent, expectStatus, expectThat } from '../expect.ts'
import { type Check, Deviation, rule, type Section, Skip } from '../model.ts'
import { field } from '../wire/message.ts'

export const deferLength: Section = {
  key: 'defer-length',
  title: 'Creation: Upload-Defer-Length',
  extension: 'creation-defer-length',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server that accepts deferred lengths announces creation-defer-length',
      {
        'where POST with Upload-Defer-Length makes an upload': async (t) => {
          if (t.announces('creation-defer-length')) return
          const x = await t.post({ 'Upload-Defer-Length': '1' })
          if (x.response?.status !== 201) return
          const asked = await t.head(t.uploadOf(x))
          if (asked.response && field(asked.response, 'Upload-Defer-Length') === '1') {
            throw new Deviation('creation-defer-length in Tus-Extension', x.got, x.request)
          }
        },
      },
      { always: true },
    ),
    rule('STATED', 'other-value-400', 'Upload-Defer-Length with another value than 1 is answered with 400', {
      'value 2': badValue('2'),
      'value 0': badValue('0'),
      'value true': badValue('true'),
    }),
    rule('MUST', 'defer-while-unknown', 'HEAD has Upload-Defer-Length: 1 as long as the length is unknown', {
      'at offset 0': async (t) => {
        const x = await t.head(await t.create({ length: 'deferred' }))
        expectHeader(x, 'Upload-Defer-Length', '1')
        expectAbsent(x, 'Upload-Length')
      },
      'after a PATCH that does not tell it': async (t) => {
        const upload = await t.create({ length: 'deferred' })
        expectStatus(await t.patch(upload, 0, t.payload.bytes(0, 1100)), 204)
        const x = await t.head(upload)
        expectOffset(x, 1100)
        expectHeader(x, 'Upload-Defer-Length', '1')
      },
    }),
    rule('MUST', 'length-in-patch', 'The length is declared by Upload-Length in a later PATCH', {
      'in the first PATCH': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.create({ length: 'deferred' })
        const length = { 'Upload-Length': String(size) }
        expectOffset(await t.patch(upload, 0, t.payload.bytes(0, 1100), length), 1100)
        const x = await t.head(upload)
        expectHeader(x, 'Upload-Length', String(size))
        expectAbsent(x, 'Upload-Defer-Length')
      },
      'in the last PATCH': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.create({ length: 'deferred' })
        expectOffset(await t.patch(upload, 0, t.payload.bytes(0, 1100)), 1100)
        const length = { 'Upload-Length': String(size) }
        expectOffset(await t.patch(upload, 1100, t.payload.bytes(1100, size), length), size)
        const x = await t.head(upload)
        expectHeader(x, 'Upload-Length', String(size))
        expectAbsent(x, 'Upload-Defer-Length')
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
      'in an empty PATCH after the bytes': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.create({ length: 'deferred' })
        expectOffset(await t.patch(upload, 0, t.payload.bytes(0, size)), size)
        expectOffset(await t.patch(upload, size, Buffer.alloc(0), { 'Upload-Length': String(size) }), size)
        expectHeader(await t.head(upload), 'Upload-Length', String(size))
      },
    }),
    rule('MUST', 'length-fixed', 'Once declared, the length does not change', {
      'a second PATCH with another length': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.create({ length: 'deferred' })
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100), { 'Upload-Length': String(size) })
        await t.patch(upload, 1100, t.payload.bytes(1100, 1200), { 'Upload-Length': String(size * 2) })
        const x = await t.head(upload)
        const length = expectPresent(x, 'Upload-Length')
        expectThat(length === String(size), `Upload-Length: ${size}`, `Upload-Length: ${length}`, x)
      },
    }),
    rule('MUST', 'too-large-413', 'A length above the maximum is answered with 413, also if declared later', {
      'Tus-Max-Size + 1 in a PATCH': async (t) => {
        const max = t.server.maxSizeBytes
        if (max === undefined || max === 0n || max > 2n ** 60n) throw new Skip('no Tus-Max-Size is announced')
        const upload = await t.create({ length: 'deferred' })
        const length = { 'Upload-Length': String(max + 1n) }
        expectStatus(await t.patch(upload, 0, t.payload.bytes(0, 1100), length), 413)
      },
    }),
  ],
}

function badValue(value: string): Check {
  return async (t) => {
    expectStatus(await t.post({ 'Upload-Defer-Length': value }), 400)
  }
}
