// Core protocol: introduction and headers.
import {
  answered,
  expectAbsent,
  expectOffset,
  expectPresent,
  expectRefused,
  expectStatus,
  expectThat,
  expectWholeNumber,
} from '../expect.ts'
import type { Harness } from '../harness.ts'
import { type Check, Deviation, rule, type Section, Skip, untested } from '../model.ts'
import { listItems } from '../probe.ts'
import { unknownUpload } from '../uploads.ts'
import { field } from '../wire/message.ts'

const unsupported = '99.0.0'

export const headers: Section = {
  key: 'headers',
  title: 'Core protocol: Headers',
  rules: [
    rule('MUST', 'core', 'A server implements the whole core protocol', {
      'HEAD, PATCH, HEAD, PATCH, HEAD carry an upload to its end': async (t) => {
        const size = t.options.sizeBytes
        const half = Math.floor(size / 2)
        const upload = await t.create()
        expectOffset(await t.head(upload), 0)
        expectOffset(await t.patch(upload, 0, t.payload.bytes(0, half)), half)
        expectOffset(await t.head(upload), half)
        expectOffset(await t.patch(upload, half, t.payload.bytes(half, size)), size)
        expectOffset(await t.head(upload), size)
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
    }),
    rule('MUST', 'upload-offset', 'Upload-Offset is a non-negative integer', {
      'in the answer to HEAD': async (t) => {
        expectWholeNumber(await t.head(await t.create()), 'Upload-Offset')
      },
      'in the answer to PATCH': async (t) => {
        const upload = await t.create()
        expectWholeNumber(await t.patch(upload, 0, t.payload.bytes(0, 1100)), 'Upload-Offset')
      },
      'a PATCH with -1 is refused and changes nothing': badOffset('-1'),
      'a PATCH with letters is refused and changes nothing': badOffset('abc'),
      'a PATCH without the header is refused and changes nothing': badOffset(null),
    }),
    rule('MUST', 'upload-length', 'Upload-Length is a non-negative integer', {
      'in the answer to HEAD': async (t) => {
        expectWholeNumber(await t.head(await t.create()), 'Upload-Length')
      },
      'a creation with -1 is refused': badLength('-1'),
      'a creation with letters is refused': badLength('abc'),
    }),
    rule('MUST', 'tus-version', 'Tus-Version is a comma-separated list of the supported versions', {
      'in the answer to OPTIONS': async (t) => {
        const x = await t.optionsRequest()
        const value = expectPresent(x, 'Tus-Version')
        const wellFormed = listItems(value).every((item) => /^\d+\.\d+\.\d+$/.test(item))
        expectThat(wellFormed && value.trim() !== '', 'versions separated by commas', `Tus-Version: ${value}`, x)
        expectThat(listItems(value).includes('1.0.0'), '1.0.0 among them', `Tus-Version: ${value}`, x)
      },
    }),
    untested('MUST', 'tus-version-order', 'Tus-Version is sorted by preference', 'no request shows a preference'),
    rule('MUST', 'tus-resumable', 'Every answer except to OPTIONS carries Tus-Resumable, with the version used', {
      '201 to POST': async (t) => expectVersion(t, (await t.create()).created),
      '2xx to HEAD': async (t) => {
        const x = await t.head(await t.create())
        expectStatus(x, 200, 204)
        expectVersion(t, x)
      },
      '204 to PATCH': async (t) => {
        const x = await t.patch(await t.create(), 0, t.payload.bytes(0, 1100))
        expectStatus(x, 204)
        expectVersion(t, x)
      },
      'HEAD on an unknown upload': async (t) => {
        const x = await t.send({ method: 'HEAD', url: await unknownUpload(t) })
        expectVersion(t, x)
      },
      'a PATCH with the wrong offset': async (t) => {
        const x = await t.patch(await t.create(), 100, t.payload.bytes(100, 1100))
        expectVersion(t, x)
      },
      'a PATCH with the wrong content type': async (t) => {
        const x = await t.patch(await t.create(), 0, t.payload.bytes(0, 1100), {
          'Content-Type': 'text/plain',
        })
        expectVersion(t, x)
      },
      '204 to DELETE': async (t) => {
        if (!t.announces('termination')) throw new Skip('the server announces no termination')
        expectVersion(t, await t.send({ method: 'DELETE', url: (await t.create()).url }))
      },
      'a version that is not spoken': async (t) => {
        expectVersion(t, await t.head(await t.create(), { 'Tus-Resumable': unsupported }))
      },
    }),
    rule('MUST', 'version-412', 'An unsupported version is answered with 412 and Tus-Version', {
      POST: async (t) => {
        const size = { 'Upload-Length': String(t.options.sizeBytes) }
        expect412(await t.post({ 'Tus-Resumable': unsupported, ...size }))
      },
      HEAD: async (t) => expect412(await t.head(await t.create(), { 'Tus-Resumable': unsupported })),
      PATCH: async (t) => {
        const upload = await t.create()
        expect412(await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Tus-Resumable': unsupported }))
      },
      DELETE: async (t) => {
        if (!t.announces('termination')) throw new Skip('the server announces no termination')
        const { url } = await t.create()
        expect412(await t.send({ method: 'DELETE', url, headers: { 'Tus-Resumable': unsupported } }))
      },
    }),
    rule('MUST', 'version-not-processed', 'A request with an unsupported version is not processed', {
      'POST creates nothing': async (t) => {
        const size = { 'Upload-Length': String(t.options.sizeBytes) }
        const x = await t.post({ 'Tus-Resumable': unsupported, ...size })
        answered(x)
        expectAbsent(x, 'Location')
      },
      'PATCH stores nothing': async (t) => {
        const upload = await t.create()
        await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Tus-Resumable': unsupported })
        await t.expectOffsetStays(upload, 0, `a PATCH of version ${unsupported}`)
      },
      'DELETE removes nothing': async (t) => {
        const upload = await t.create()
        await t.send({ method: 'DELETE', url: upload.url, headers: { 'Tus-Resumable': unsupported } })
        await t.expectOffsetStays(upload, 0, `a DELETE of version ${unsupported}`)
      },
    }),
    rule('MUST', 'tus-extension', 'Tus-Extension is a comma-separated list, and omitted if it is empty', {
      'in the answer to OPTIONS': async (t) => {
        const x = await t.optionsRequest()
        const value = field(answered(x), 'Tus-Extension')
        if (value === undefined) return
        const items = value.split(',').map((item) => item.trim())
        const wellFormed = items.every((item) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(item))
        expectThat(wellFormed, 'names separated by commas, or no header', `Tus-Extension: ${value}`, x)
      },
    }),
    rule('MUST', 'tus-max-size', 'Tus-Max-Size is a non-negative integer', {
      'in the answer to OPTIONS': async (t) => {
        const x = await t.optionsRequest()
        if (field(answered(x), 'Tus-Max-Size') === undefined) throw new Skip('no Tus-Max-Size is announced')
        expectWholeNumber(x, 'Tus-Max-Size')
      },
    }),
    rule('SHOULD', 'tus-max-size-told', 'A known hard limit of size is announced in Tus-Max-Size', {
      'the limit that refuses an upload of 2^53 - 1 bytes': async (t) => {
        const x = await t.post({ 'Upload-Length': String(Number.MAX_SAFE_INTEGER) })
        if (x.response?.status !== 413) throw new Skip('no limit shows below 2^53 - 1 bytes')
        expectPresent(await t.optionsRequest(), 'Tus-Max-Size')
      },
    }),
  ],
}

function badOffset(value: string | null): Check {
  return async (t) => {
    const upload = await t.create()
    const x = await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Upload-Offset': value })
    expectRefused(x)
    await t.expectOffsetStays(upload, 0, `Upload-Offset: ${value ?? '(absent)'}`)
  }
}

function badLength(value: string): Check {
  return async (t) => {
    expectRefused(await t.post({ 'Upload-Length': value }))
  }
}

type Answer = Parameters<typeof answered>[0]

function expectVersion(t: Harness, x: Answer): void {
  const value = expectPresent(x, 'Tus-Resumable')
  const spoken = ['1.0.0', ...t.server.versions]
  if (!spoken.includes(value)) throw new Deviation('Tus-Resumable: 1.0.0', `Tus-Resumable: ${value}`, x.request)
}

function expect412(x: Answer): void {
  expectStatus(x, 412)
  expectPresent(x, 'Tus-Version')
}
