// Core protocol: HEAD.
import { answered, expectAbsent, expectOffset, expectStatus, expectThat, expectWholeNumber } from '../expect.ts'
import { rule, type Section } from '../model.ts'
import { listItems } from '../probe.ts'
import { unknownUpload } from '../uploads.ts'
import { field } from '../wire/message.ts'

export const head: Section = {
  key: 'head',
  title: 'Core protocol: HEAD',
  rules: [
    rule('MUST', 'offset', 'The answer always carries Upload-Offset, also at 0 and when the upload is complete', {
      'at offset 0': async (t) => expectOffset(await t.head(await t.create()), 0),
      'in the middle': async (t) => {
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        expectOffset(await t.head(upload), 1100)
      },
      'when complete': async (t) => {
        expectOffset(await t.head(await t.createComplete()), t.options.sizeBytes)
      },
    }),
    rule('MUST', 'length', 'The answer carries Upload-Length if the size is known', {
      'at offset 0': async (t) => {
        const x = await t.head(await t.create())
        const got = expectWholeNumber(x, 'Upload-Length')
        expectThat(got === BigInt(t.options.sizeBytes), `Upload-Length: ${t.options.sizeBytes}`, String(got), x)
      },
      'when complete': async (t) => {
        const x = await t.head(await t.createComplete())
        const got = expectWholeNumber(x, 'Upload-Length')
        expectThat(got === BigInt(t.options.sizeBytes), `Upload-Length: ${t.options.sizeBytes}`, String(got), x)
      },
    }),
    rule('SHOULD', 'not-found', 'An unknown upload is answered with 404, 410 or 403, without Upload-Offset', {
      'an id that was never given out': async (t) => {
        const x = await t.send({ method: 'HEAD', url: await unknownUpload(t) })
        expectStatus(x, 404, 410, 403)
        expectAbsent(x, 'Upload-Offset')
      },
    }),
    rule('SHOULD', 'status', 'A successful HEAD is answered with 200 or 204', {
      'on a new upload': async (t) => {
        expectStatus(await t.head(await t.create()), 200, 204)
      },
      'on a complete upload': async (t) => {
        expectStatus(await t.head(await t.createComplete()), 200, 204)
      },
    }),
    rule('MUST', 'no-store', 'The answer carries Cache-Control: no-store', {
      'on a new upload': async (t) => {
        const x = await t.head(await t.create())
        const value = field(answered(x), 'Cache-Control') ?? '(absent)'
        const directives = listItems(value).map((item) => item.toLowerCase())
        expectThat(directives.includes('no-store'), 'Cache-Control: no-store', `Cache-Control: ${value}`, x)
      },
      'on a complete upload': async (t) => {
        const x = await t.head(await t.createComplete())
        const value = field(answered(x), 'Cache-Control') ?? '(absent)'
        const directives = listItems(value).map((item) => item.toLowerCase())
        expectThat(directives.includes('no-store'), 'Cache-Control: no-store', `Cache-Control: ${value}`, x)
      },
    }),
  ],
}
