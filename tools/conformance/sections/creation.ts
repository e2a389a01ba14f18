// Extension creation: the POST request, except metadata and deferred lengths.
import { expectAbsent, expectOffset, expectPresent, expectRefused, expectStatus, expectThat } from '../expect.ts'
import { type Check, Deviation, rule, type Section, Skip, untested } from '../model.ts'
import { field } from '../wire/message.ts'

export const creation: Section = {
  key: 'creation',
  title: 'Creation: POST',
  extension: 'creation',
  rules: [
    rule('SHOULD', 'implemented', 'Servers implement the creation extension', {
      'POST makes an upload': async (t) => {
        expectStatus(await t.post({ 'Upload-Length': String(t.options.sizeBytes) }), 201)
      },
    }),
    rule(
      'MUST',
      'announced',
      'A server with this extension announces creation',
      {
        'where POST makes an upload': async (t) => {
          if (t.announces('creation')) return
          const x = await t.post({ 'Upload-Length': String(t.options.sizeBytes) })
          if (x.response?.status === 201) throw new Deviation('creation in Tus-Extension', x.got, x.request)
        },
      },
      { always: true },
    ),
    untested('MUST', 'client-post', 'The client creates an upload by POST to the creation URL', 'binds the client'),
    rule('STATED', 'offset-0', 'A new upload is at offset 0', {
      'as HEAD says': async (t) => expectOffset(await t.head(await t.create()), 0),
    }),
    rule('MUST', 'length-or-defer', 'A creation has Upload-Length, or Upload-Defer-Length: 1', {
      'one with neither is refused': async (t) => {
        expectRefused(await t.post({}))
      },
    }),
    rule('MAY', 'zero-length', 'A client may create an upload of length 0', {
      'Upload-Length: 0': async (t) => {
        expectStatus(await t.post({ 'Upload-Length': '0' }), 201)
      },
    }),
    rule('STATED', 'zero-complete', 'An upload of length 0 is complete at once, without a PATCH', {
      'HEAD says offset 0 of 0': async (t) => {
        const created = await t.post({ 'Upload-Length': '0' })
        if (created.response?.status !== 201) throw new Skip(`empty uploads are not taken: ${created.got}`)
        const x = await t.head(t.uploadOf(created, 0))
        expectOffset(x, 0)
        expectThat(expectPresent(x, 'Upload-Length') === '0', 'Upload-Length: 0', x.got, x)
      },
    }),
    rule('MUST', 'too-large-413', 'A length above the maximum is answered with 413', {
      'Tus-Max-Size + 1': overMaximum((max) => max + 1n),
      'ten times Tus-Max-Size': overMaximum((max) => max * 10n),
    }),
    rule('MUST', 'status-201', 'A successful creation is answered with 201', {
      'with Upload-Length': async (t) => {
        expectStatus(await t.post({ 'Upload-Length': String(t.options.sizeBytes) }), 201)
      },
    }),
    rule('MUST', 'location', 'The answer names the new upload in Location', {
      'the header is there': async (t) => {
        const x = await t.post({ 'Upload-Length': String(t.options.sizeBytes) })
        expectStatus(x, 201)
        expectPresent(x, 'Location')
      },
      'two uploads get two URLs': async (t) => {
        const [a, b] = [await t.create(), await t.create()]
        expectThat(a.url.href !== b.url.href, 'two different URLs', `${a.location} twice`, b.created)
      },
    }),
    rule('MAY', 'location-form', 'Location may be absolute or relative', {
      'it leads to the upload': async (t) => {
        const upload = await t.create()
        t.note(`Location: ${upload.location}`)
        expectStatus(await t.head(upload), 200, 204)
      },
    }),
    untested('MUST', 'client-core', 'The client uploads with the core protocol', 'binds the client'),
    rule('MUST', 'length-fixed', 'The length of an upload does not change once it is set', {
      'a PATCH with another Upload-Length': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.create()
        await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Upload-Length': String(size * 2) })
        const x = await t.head(upload)
        const length = expectPresent(x, 'Upload-Length')
        expectThat(length === String(size), `Upload-Length: ${size}`, `Upload-Length: ${length}`, x)
      },
    }),
    rule('MUST', 'no-defer-header', 'Upload-Defer-Length is omitted if the length is known', {
      'in the answer to HEAD': async (t) => expectAbsent(await t.head(await t.create()), 'Upload-Defer-Length'),
      'in the answer to POST': async (t) => expectAbsent((await t.create()).created, 'Upload-Defer-Length'),
    }),
  ],
}

/** Sizes that no 64-bit server could tell from an overflow are left to the robustness checks. */
const largestHonestMax = 2n ** 60n

function overMaximum(over: (max: bigint) => bigint): Check {
  return async (t) => {
    const max = t.server.maxSizeBytes
    if (max === undefined || max === 0n) throw new Skip('no Tus-Max-Size is announced')
    if (over(max) > largestHonestMax) throw new Skip(`Tus-Max-Size is ${max}`)
    const x = await t.post({ 'Upload-Length': String(over(max)) })
    expectStatus(x, 413)
    expectThat(field(x.response ?? expectStatus(x, 413), 'Location') === undefined, 'no Location', x.got, x)
  }
}
