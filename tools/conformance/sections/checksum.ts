// Extension checksum, with checksum-trailer.
import { digest, isUnambiguous } from '../digests.ts'
import { expectOffset, expectPresent, expectRefused, expectStatus, expectThat, succeeded } from '../expect.ts'
import type { Harness, Upload } from '../harness.ts'
import { Deviation, rule, type Section, untested } from '../model.ts'
import { listItems } from '../probe.ts'

const header = 'Upload-Checksum'

export const checksum: Section = {
  key: 'checksum',
  title: 'Checksum',
  extension: 'checksum',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server with this extension announces checksum',
      {
        'where a wrong checksum is noticed': async (t) => {
          if (t.announces('checksum')) return
          const body = t.payload.bytes(0, 1100)
          const x = await t.patch(await t.create(), 0, body, { [header]: `sha1 ${wrong('sha1', body)}` })
          if (x.response?.status === 460) throw new Deviation('checksum in Tus-Extension', x.got, x.request)
        },
      },
      { always: true },
    ),
    rule('MUST', 'verified', 'After the complete PATCH is received, its bytes are checked against Upload-Checksum', {
      'right and wrong sha1 are told apart': async (t) => {
        const body = t.payload.bytes(0, 1100)
        const right = await t.patch(await t.create(), 0, body, { [header]: `sha1 ${digest('sha1', body)}` })
        expectThat(succeeded(right), 'a right checksum taken', right.got, right)
        const other = await t.patch(await t.create(), 0, body, { [header]: `sha1 ${wrong('sha1', body)}` })
        expectRefused(other, 'a wrong checksum refused')
      },
      'every announced algorithm': async (t) => {
        for (const algorithm of t.server.checksumAlgorithms) await tellsApart(t, algorithm)
      },
      'in the middle of an upload': async (t) => {
        const upload = await begun(t)
        const body = t.payload.bytes(1100, 2000)
        expectRefused(await t.patch(upload, 1100, body, { [header]: `sha1 ${wrong('sha1', body)}` }))
        expectOffset(await t.patch(upload, 1100, body, { [header]: `sha1 ${digest('sha1', body)}` }), 2000)
      },
      'in a chunked PATCH': async (t) => {
        const body = t.payload.bytes(0, 1100)
        for (const [sum, fits] of [[wrong('sha1', body), false] as const, [digest('sha1', body), true] as const]) {
          const upload = await t.create()
          const spec = t.patchSpec(upload, 0, body, { [header]: `sha1 ${sum}` })
          const x = await t.send({ ...spec, framing: 'chunked' })
          expectThat(succeeded(x) === fits, fits ? 'a right checksum taken' : 'a wrong one refused', x.got, x)
        }
      },
    }),
    rule('MAY', 'status', 'The answer may be 400 (unknown algorithm), 460 (mismatch) or 204', {
      'unknown algorithm': async (t) => {
        const x = await t.patch(await t.create(), 0, t.payload.bytes(0, 1100), { [header]: 'nosuch AAAA' })
        expectStatus(x, 400)
      },
      mismatch: async (t) => {
        const body = t.payload.bytes(0, 1100)
        expectStatus(await t.patch(await t.create(), 0, body, { [header]: `sha1 ${wrong('sha1', body)}` }), 460)
      },
      match: async (t) => {
        const body = t.payload.bytes(0, 1100)
        const x = await t.patch(await t.create(), 0, body, { [header]: `sha1 ${digest('sha1', body)}` })
        expectStatus(x, 204)
        expectOffset(x, 1100)
      },
    }),
    rule('MUST', 'discarded', 'In the first two cases the bytes are discarded and the offset does not change', {
      'unknown algorithm': async (t) => {
        const upload = await begun(t)
        await t.patch(upload, 1100, t.payload.bytes(1100, 2000), { [header]: 'nosuch AAAA' })
        await t.expectOffsetStays(upload, 1100, 'an unknown algorithm')
      },
      mismatch: async (t) => {
        const upload = await begun(t)
        const body = t.payload.bytes(1100, 2000)
        await t.patch(upload, 1100, body, { [header]: `sha1 ${wrong('sha1', body)}` })
        await t.expectOffsetStays(upload, 1100, 'a mismatch')
      },
      'a mismatch of the last bytes does not finish the upload': async (t) => {
        const size = t.options.sizeBytes
        const upload = await begun(t)
        const body = t.payload.bytes(1100, size, 7)
        const sum = digest('sha1', t.payload.bytes(1100, size))
        await t.patch(upload, 1100, body, { [header]: `sha1 ${sum}` })
        await t.expectOffsetStays(upload, 1100, 'a mismatch of the last bytes')
        await t.mustPatch(upload, 1100, t.payload.bytes(1100, size))
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
    }),
    rule('MUST', 'sha1', 'sha1 is supported', {
      'it is announced': async (t) => {
        const x = await t.optionsRequest()
        const value = expectPresent(x, 'Tus-Checksum-Algorithm')
        expectThat(listItems(value).includes('sha1'), 'sha1 in the list', `Tus-Checksum-Algorithm: ${value}`, x)
      },
      'a right sha1 is taken': async (t) => {
        const body = t.payload.bytes(0, 1100)
        const x = await t.patch(await t.create(), 0, body, { [header]: `sha1 ${digest('sha1', body)}` })
        expectStatus(x, 204)
      },
    }),
    rule('MUST', 'names', 'Names of algorithms are ASCII without upper-case letters', {
      'in Tus-Checksum-Algorithm': async (t) => {
        const x = await t.optionsRequest()
        const value = expectPresent(x, 'Tus-Checksum-Algorithm')
        const fine = listItems(value).every((name) => /^[!-~]+$/.test(name) && name === name.toLowerCase())
        expectThat(fine, 'ASCII without upper-case letters', `Tus-Checksum-Algorithm: ${value}`, x)
      },
    }),
    rule('MUST', 'list', 'OPTIONS answers with Tus-Checksum-Algorithm, a comma-separated list', {
      'the header is there': async (t) => {
        const x = await t.optionsRequest()
        const value = expectPresent(x, 'Tus-Checksum-Algorithm')
        const items = value.split(',').map((item) => item.trim())
        expectThat(
          items.every((item) => /^\S+$/.test(item)),
          'names and commas',
          `Tus-Checksum-Algorithm: ${value}`,
          x,
        )
      },
    }),
    untested(
      'MUST',
      'request-form',
      'Upload-Checksum is the name of an algorithm, a space and the Base64 of the digest',
      'binds the client; what a server makes of others is looked at under robustness',
    ),
    rule('MAY', 'optional', 'Upload-Checksum may be omitted in a PATCH', {
      'a PATCH without it': async (t) => {
        expectStatus(await t.patch(await t.create(), 0, t.payload.bytes(0, 1100)), 204)
      },
    }),
    rule(
      'MUST',
      'trailer-announced',
      'A server that reads the checksum from a trailer announces checksum-trailer',
      {
        'where a wrong checksum in a trailer is noticed': async (t) => {
          if (t.announces('checksum-trailer') || !t.announces('checksum')) return
          const body = t.payload.bytes(0, 1100)
          const x = await withTrailer(t, await t.create(), 0, body, `sha1 ${wrong('sha1', body)}`)
          if (x.response?.status === 460) throw new Deviation('checksum-trailer in Tus-Extension', x.got, x.request)
        },
      },
      { always: true },
    ),
    rule(
      'MAY',
      'trailer',
      'The checksum may come as a trailer',
      { 'a right one is taken': trailerTaken, 'a wrong one is refused': trailerRefused },
      { needs: ['checksum-trailer'] },
    ),
    rule(
      'MUST',
      'trailer-discarded',
      'A mismatch with a checksum in a trailer changes nothing',
      {
        'the offset stays': async (t) => {
          const upload = await begun(t)
          const body = t.payload.bytes(1100, 2000)
          await withTrailer(t, upload, 1100, body, `sha1 ${wrong('sha1', body)}`)
          await t.expectOffsetStays(upload, 1100, 'a wrong checksum in a trailer')
        },
      },
      { needs: ['checksum-trailer'] },
    ),
  ],
}

/** A digest of other bytes: right in form, wrong in value. */
function wrong(algorithm: string, body: Buffer): string | undefined {
  return digest(algorithm, Buffer.concat([body, Buffer.from('!')]))
}

async function begun(t: Harness): Promise<Upload> {
  const upload = await t.create()
  await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
  return upload
}

async function tellsApart(t: Harness, algorithm: string): Promise<void> {
  const body = t.payload.bytes(0, 1100)
  const sum = digest(algorithm, body)
  if (sum === undefined) return t.note(`${algorithm} cannot be computed here and is not tested`)
  const bad = await t.patch(await t.create(), 0, body, { [header]: `${algorithm} ${wrong(algorithm, body)}` })
  expectRefused(bad, `a wrong ${algorithm} refused`)
  const good = await t.patch(await t.create(), 0, body, { [header]: `${algorithm} ${sum}` })
  if (succeeded(good)) return
  if (isUnambiguous(algorithm)) throw new Deviation(`a right ${algorithm} taken`, good.got, good.request)
  t.note(`${algorithm}, written as four bytes big-endian, is refused: the protocol does not fix how it is written`)
}

async function withTrailer(t: Harness, upload: Upload, offset: number, body: Buffer, value: string) {
  const spec = t.patchSpec(upload, offset, body, { Trailer: header })
  return await t.send({ ...spec, framing: 'chunked', trailers: { [header]: value } })
}

async function trailerTaken(t: Harness): Promise<void> {
  const body = t.payload.bytes(0, 1100)
  const x = await withTrailer(t, await t.create(), 0, body, `sha1 ${digest('sha1', body)}`)
  expectStatus(x, 204)
  expectOffset(x, 1100)
}

async function trailerRefused(t: Harness): Promise<void> {
  const body = t.payload.bytes(0, 1100)
  const upload = await t.create()
  expectRefused(await withTrailer(t, upload, 0, body, `sha1 ${wrong('sha1', body)}`))
}
