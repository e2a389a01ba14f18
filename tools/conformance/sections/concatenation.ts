// Extension concatenation.
import { expectHeader, expectOffset, expectPresent, expectStatus, expectThat } from '../expect.ts'
import { Deviation, rule, type Section, untested } from '../model.ts'
import { assembled, createFinal, createPartial, forms, namedParts, postFinal } from '../partials.ts'
import { field } from '../wire/message.ts'

export const concatenation: Section = {
  key: 'concatenation',
  title: 'Concatenation',
  extension: 'concatenation',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server with this extension announces concatenation',
      {
        'where an upload is marked as partial': async (t) => {
          if (t.announces('concatenation')) return
          const size = { 'Upload-Length': String(t.options.sizeBytes) }
          const x = await t.post({ 'Upload-Concat': 'partial', ...size })
          if (x.response?.status !== 201) return
          const asked = await t.head(t.uploadOf(x))
          if (asked.response && field(asked.response, 'Upload-Concat') !== undefined) {
            throw new Deviation('concatenation in Tus-Extension', asked.got, asked.request)
          }
        },
      },
      { always: true },
    ),
    untested('SHOULD', 'not-processed', 'Partial uploads are not processed by themselves', 'the wire does not show it'),
    rule('MUST', 'length-sum', 'The length of the final upload is the sum of its parts', {
      'two parts': async (t) => {
        const { final } = await createFinal(t)
        expectHeader(await assembled(t, final), 'Upload-Length', String(t.options.sizeBytes))
      },
      'one part': async (t) => {
        const created = await postFinal(t, [await createPartial(t, 0, 1100)])
        expectStatus(created, 201)
        expectHeader(await assembled(t, t.uploadOf(created)), 'Upload-Length', '1100')
      },
    }),
    rule('MUST', 'order', 'The parts are joined in the order of the list', {
      'when the later part was uploaded first': async (t) => {
        const size = t.options.sizeBytes
        const last = await createPartial(t, size / 2, size)
        const first = await createPartial(t, 0, size / 2)
        const created = await postFinal(t, [first, last])
        expectStatus(created, 201)
        const final = t.uploadOf(created)
        await assembled(t, final)
        if (!t.server.readBack) t.note('the content cannot be read back: only the length was compared')
        await t.expectContent(final, t.payload.bytes(0, size))
      },
    }),
    untested(
      'MUST',
      'client-header',
      'The client marks parts by Upload-Concat: partial and names them in Upload-Concat: final;…',
      'binds the client',
    ),
    untested('SHOULD', 'client-order', 'The final upload is created after its parts are complete', 'binds the client'),
    untested('MUST', 'no-length', 'The client sends no Upload-Length with the final upload', 'binds the client'),
    rule('MUST', 'metadata', 'Metadata of partial uploads does not pass to the final upload', {
      'a key of the part is not in the final': async (t) => {
        const pair = `part ${Buffer.from('one').toString('base64')}`
        const headers = {
          'Upload-Metadata': [t.payload.metadata, pair].filter((text) => text !== '').join(','),
        }
        const created = await postFinal(t, [await createPartial(t, 0, 1100, 1100, headers)])
        expectStatus(created, 201)
        const x = await t.head(t.uploadOf(created))
        const value = (x.response && field(x.response, 'Upload-Metadata')) ?? ''
        expectThat(!/(^|,)part( |$)/.test(value), 'no key "part"', `Upload-Metadata: ${value}`, x)
      },
    }),
    rule('SHOULD', 'own-metadata', 'The final upload has the metadata of its own request', {
      'as HEAD says': async (t) => {
        const pair = `whole ${Buffer.from('two').toString('base64')}`
        const headers = {
          'Upload-Metadata': [t.payload.metadata, pair].filter((text) => text !== '').join(','),
        }
        const created = await postFinal(t, [await createPartial(t, 0, 1100)], 'absolute', headers)
        expectStatus(created, 201)
        const x = await t.head(t.uploadOf(created))
        const value = expectPresent(x, 'Upload-Metadata')
        expectThat(value.split(',').includes(pair), `a pair ${pair}`, `Upload-Metadata: ${value}`, x)
      },
    }),
    rule('MAY', 'reuse', 'A part may be used several times', {
      'twice in one final upload': async (t) => {
        const part = await createPartial(t, 0, 1100)
        const created = await postFinal(t, [part, part])
        expectStatus(created, 201)
        const final = t.uploadOf(created)
        expectHeader(await assembled(t, final), 'Upload-Length', '2200')
        const half = t.payload.bytes(0, 1100)
        await t.expectContent(final, Buffer.concat([half, half]))
      },
      'in two final uploads': async (t) => {
        const part = await createPartial(t, 0, 1100)
        expectStatus(await postFinal(t, [part]), 201)
        const x = await postFinal(t, [part])
        if (x.response?.status === 201) return
        const kept = (await t.head(part)).response?.status
        if (kept !== 404 && kept !== 410) throw new Deviation('201, or a part that is gone', x.got, x.request)
        t.note('parts are removed once they are used, as a server may')
      },
    }),
    rule('MUST', 'patch-403', 'PATCH on a final upload is answered with 403', {
      'at its end': async (t) => {
        const { final } = await createFinal(t)
        await assembled(t, final)
        const end = t.options.sizeBytes
        expectStatus(await t.patch(final, end, t.payload.bytes(end, end + 10)), 403)
      },
      'at 0': async (t) => {
        const { final } = await createFinal(t)
        expectStatus(await t.patch(final, 0, t.payload.bytes(0, 10)), 403)
      },
    }),
    rule('MUST', 'patch-unmodified', 'Such a PATCH changes neither the final upload nor its parts', {
      'offsets and content stay': async (t) => {
        const size = t.options.sizeBytes
        const { final, parts } = await createFinal(t)
        await assembled(t, final)
        await t.patch(final, size, t.payload.bytes(size, size + 10))
        await t.patch(final, 0, t.payload.bytes(500, 1000))
        expectOffset(await assembled(t, final), size)
        await t.expectContent(final, t.payload.bytes(0, size))
        const [first] = parts
        const x = await t.head(first)
        if (x.response?.status === 200 || x.response?.status === 204) expectOffset(x, size / 2)
      },
    }),
    rule('MUST', 'final-offset', 'After concatenation HEAD has Upload-Offset and Upload-Length, and they are equal', {
      'two complete parts': async (t) => {
        const { final } = await createFinal(t)
        expectOffset(await assembled(t, final), t.options.sizeBytes)
      },
    }),
    rule('MUST', 'partial-offset', 'HEAD on a partial upload has Upload-Offset', {
      'at 0, in the middle and complete': async (t) => {
        expectOffset(await t.head(await createPartial(t, 0, 2000, 0)), 0)
        expectOffset(await t.head(await createPartial(t, 0, 2000, 1100)), 1100)
        expectOffset(await t.head(await createPartial(t, 0, 2000)), 2000)
      },
    }),
    rule('MUST', 'length-known', 'HEAD has Upload-Length if the length of the final upload can be computed', {
      'two complete parts': async (t) => {
        const { final } = await createFinal(t)
        expectHeader(await t.head(final), 'Upload-Length', String(t.options.sizeBytes))
      },
    }),
    rule('MUST', 'concat-header', 'HEAD has Upload-Concat as it was sent', {
      'on a partial upload': async (t) => {
        expectHeader(await t.head(await createPartial(t, 0, 1100)), 'Upload-Concat', 'partial')
      },
      'on a final upload of absolute URLs': async (t) => {
        const { final, parts } = await createFinal(t)
        expectHeader(await t.head(final), 'Upload-Concat', `final;${parts.map(forms.absolute).join(' ')}`)
      },
      'on a final upload of relative URLs (the same parts, however written)': async (t) => {
        const { final, parts } = await createFinal(t, 'relative')
        const x = await t.head(final)
        const value = expectPresent(x, 'Upload-Concat')
        const wanted = parts.map((part) => part.url.href).join(' ')
        const same = value.startsWith('final;') && namedParts(value, final.url).join(' ') === wanted
        expectThat(same, `final; and ${wanted}`, `Upload-Concat: ${value}`, x)
      },
      'and none on an ordinary upload': async (t) => {
        const x = await t.head(await t.create())
        const value = x.response && field(x.response, 'Upload-Concat')
        expectThat(value === undefined, 'no Upload-Concat', `Upload-Concat: ${value}`, x)
      },
    }),
    rule('MAY', 'url-form', 'Parts may be named by absolute or relative URLs', {
      absolute: async (t) => {
        expectStatus(await postFinal(t, [await createPartial(t, 0, 1100)], 'absolute'), 201)
      },
      relative: async (t) => {
        expectStatus(await postFinal(t, [await createPartial(t, 0, 1100)], 'relative'), 201)
      },
    }),
  ],
}
