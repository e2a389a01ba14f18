// Core protocol: PATCH.
import { expectOffset, expectStatus, expectThat } from '../expect.ts'
import { type Check, rule, type Section, untested } from '../model.ts'
import { settledOffset, unknownUpload } from '../uploads.ts'

export const patch: Section = {
  key: 'patch',
  title: 'Core protocol: PATCH',
  rules: [
    rule('SHOULD', 'accepted', 'The bytes of a PATCH are stored at the offset that it names', {
      'in two halves, then compared': async (t) => {
        const size = t.options.sizeBytes
        const half = Math.floor(size / 2)
        const upload = await t.create()
        expectStatus(await t.patch(upload, 0, t.payload.bytes(0, half)), 204)
        expectStatus(await t.patch(upload, half, t.payload.bytes(half, size)), 204)
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
    }),
    rule('SHOULD', 'content-type', 'A content type other than application/offset+octet-stream is answered with 415', {
      'another type': wrongType('application/octet-stream'),
      'no type': wrongType(null),
    }),
    rule('MUST', 'offset-409', 'A PATCH whose offset is not the current one is answered with 409', {
      'ahead of an empty upload': mismatch(0, 1),
      'ahead in the middle': mismatch(1100, 1101),
      'behind in the middle': mismatch(1100, 0),
      'far beyond the length': mismatch(0, 1e12),
      'behind the end of a complete upload': async (t) => {
        expectStatus(await t.patch(await t.createComplete(), 1100, t.payload.bytes(1100, 1400)), 409)
      },
    }),
    rule('MUST', 'offset-unmodified', 'A PATCH at the wrong offset changes nothing', {
      'the offset stays': async (t) => {
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        for (const offset of [0, 1099, 1101, t.options.sizeBytes]) {
          await t.patch(upload, offset, t.payload.bytes(0, 500, 1))
          await t.expectOffsetStays(upload, 1100, `a PATCH at ${offset}`)
        }
      },
      'the content stays': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        await t.patch(upload, 0, t.payload.bytes(200, 1100))
        await t.patch(upload, 1200, t.payload.bytes(0, 700))
        await t.mustPatch(upload, 1100, t.payload.bytes(1100, size))
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
      'a complete upload stays': async (t) => {
        const size = t.options.sizeBytes
        const upload = await t.createComplete()
        await t.patch(upload, 0, t.payload.bytes(1200, 1700))
        await t.expectOffsetStays(upload, size, 'a PATCH at 0')
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
    }),
    untested('MAY', 'parallel', 'For parallel uploads a client may use concatenation', 'binds the client'),
    untested('SHOULD', 'single', 'A client sends all remaining bytes in one PATCH', 'binds the client'),
    rule('MAY', 'small-requests', 'A client may send many small PATCHes instead of one', {
      'eight PATCHes': async (t) => {
        const size = t.options.sizeBytes
        const step = Math.ceil(size / 8)
        const upload = await t.create()
        for (let from = 0; from < size; from += step) {
          const to = Math.min(size, from + step)
          expectOffset(await t.patch(upload, from, t.payload.bytes(from, to)), to)
        }
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
    }),
    rule('MUST', 'status-204', 'A successful PATCH is answered with 204', {
      'one that leaves the upload unfinished': async (t) => {
        expectStatus(await t.patch(await t.create(), 0, t.payload.bytes(0, 1100)), 204)
      },
      'one that finishes it': async (t) => {
        const size = t.options.sizeBytes
        expectStatus(await t.patch(await t.create(), 0, t.payload.bytes(0, size)), 204)
      },
    }),
    rule('MUST', 'new-offset', 'The answer carries the new offset: the old one plus the stored bytes', {
      'from 0': async (t) => {
        expectOffset(await t.patch(await t.create(), 0, t.payload.bytes(0, 1100)), 1100)
      },
      'from the middle': async (t) => {
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        expectOffset(await t.patch(upload, 1100, t.payload.bytes(1100, 1537)), 1537)
      },
      'to the end': async (t) => {
        const size = t.options.sizeBytes
        expectOffset(await t.patch(await t.create(), 0, t.payload.bytes(0, size)), size)
      },
      'HEAD agrees with it': async (t) => {
        const upload = await t.create()
        expectOffset(await t.patch(upload, 0, t.payload.bytes(0, 1537)), 1537)
        expectOffset(await t.head(upload), 1537)
      },
    }),
    rule('SHOULD', 'not-found', 'A PATCH on an unknown upload is answered with 404', {
      'an id that was never given out': async (t) => {
        const url = await unknownUpload(t)
        expectStatus(await t.patch({ url }, 0, t.payload.bytes(0, 1100)), 404)
      },
    }),
    untested(
      'SHOULD',
      'network-errors',
      'Network errors are detected, and a timeout closes the connection',
      'servers choose timeouts of a minute and more; what follows from it is measured under robustness',
    ),
    rule('SHOULD', 'store-most', 'As much as possible of what was received is stored', {
      'of a PATCH whose connection breaks': async (t) => {
        const total = 1024 * 1024
        const sent = total / 2
        const upload = await t.create({ length: total })
        const connection = await t.open(upload.url)
        const spec = t.patchSpec(upload, 0, t.payload.bytes(0, total))
        t.begin(connection, spec)
        await connection.flush(t.payload.bytes(0, sent), t.options.timeoutMs)
        connection.destroy()
        const kept = await settledOffset(t, upload)
        t.note(`${kept} of ${sent} bytes that were sent are stored`)
        expectThat(kept > 0 && kept <= sent, `an offset above 0, up to ${sent}`, `${kept}`)
      },
    }),
  ],
}

function wrongType(type: string | null): Check {
  return async (t) => {
    const upload = await t.create()
    const x = await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Content-Type': type })
    expectStatus(x, 415)
    await t.expectOffsetStays(upload, 0, `Content-Type: ${type ?? '(absent)'}`)
  }
}

/** A PATCH at `offset` on an upload that is at `current`. */
function mismatch(current: number, offset: number): Check {
  return async (t) => {
    const upload = await t.create()
    if (current > 0) await t.mustPatch(upload, 0, t.payload.bytes(0, current))
    expectStatus(await t.patch(upload, offset, t.payload.bytes(1100, 1400)), 409)
  }
}
