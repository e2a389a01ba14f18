// The IETF draft "Resumable Uploads for HTTP" in its version -05 (interop version 6). Run only where the server has it: `probe.ts`.
import type { Exchange } from '../exchange.ts'
import { answered, expectHeader, expectOffset, expectPresent, expectStatus, expectThat, succeeded } from '../expect.ts'
import type { Harness, Upload } from '../harness.ts'
import { pause } from '../harness.ts'
import { rule, type Section, Skip } from '../model.ts'
import { changedId } from '../uploads.ts'
import { field, type Headers } from '../wire/message.ts'

/** In every request of the draft. */
const draftHeaders: Headers = { 'Tus-Resumable': null, 'Upload-Draft-Interop-Version': '6' }

const half = 2000
const bytesOf = (t: Harness, from = 0, to = t.options.sizeBytes) => t.payload.bytes(from, to)

const post = (t: Harness, headers: Headers, body?: Buffer) =>
  t.post({ ...draftHeaders, 'Upload-Complete': '?0', ...headers }, body)
const head = (t: Harness, upload: Pick<Upload, 'url'>, headers: Headers = {}) =>
  t.head(upload, { ...draftHeaders, ...headers })
const cancel = (t: Harness, url: URL, headers: Headers = {}) =>
  t.send({ method: 'DELETE', url, headers: { ...draftHeaders, ...headers } })

function appendSpec(upload: Pick<Upload, 'url'>, offset: number, body: Buffer, headers: Headers) {
  const usual = {
    'Content-Type': 'application/partial-upload',
    'Upload-Offset': String(offset),
    'Upload-Complete': '?1',
  }
  return { method: 'PATCH', url: upload.url, body, headers: { ...draftHeaders, ...usual, ...headers } }
}
const append = (t: Harness, upload: Pick<Upload, 'url'>, offset: number, body: Buffer, headers: Headers = {}) =>
  t.send(appendSpec(upload, offset, body, headers))
const part: Headers = { 'Upload-Complete': '?0' }

/** With a known length unless headers say otherwise. */
async function create(t: Harness, headers: Headers = { 'Upload-Length': String(t.options.sizeBytes) }) {
  return t.uploadOf(await post(t, headers))
}

async function complete(t: Harness) {
  return t.uploadOf(await post(t, { 'Upload-Complete': '?1' }, bytesOf(t)))
}

function expectNotFalse(x: Exchange): void {
  expectThat(succeeded(x), 'a 2xx answer', x.got, x)
  expectThat(field(answered(x), 'upload-complete') !== '?0', 'no Upload-Complete: ?0', x.got, x)
}

export const draft: Section = {
  key: 'draft',
  title: 'IETF draft -05, interop version 6',
  rules: [
    rule('MUST', 'limit-options', 'OPTIONS tells the limits in Upload-Limit', {
      'of the creation URL': async (t) => {
        expectPresent(await t.send({ method: 'OPTIONS', headers: draftHeaders }), 'Upload-Limit')
      },
    }),
    rule('MUST', 'create', 'A creation that is not the end gets 201, Location and Upload-Complete: ?0', {
      'without a body': async (t) => {
        const x = await post(t, {})
        expectStatus(x, 201)
        expectPresent(x, 'Location')
        expectHeader(x, 'Upload-Complete', '?0')
      },
      'with the first bytes': async (t) => {
        const x = await post(t, {}, bytesOf(t, 0, half))
        expectStatus(x, 201)
        expectPresent(x, 'Location')
        expectHeader(x, 'Upload-Complete', '?0')
      },
    }),
    rule('MUST', 'create-offset', 'The answer to a creation has Upload-Offset', {
      'without a body': async (t) => expectOffset(await post(t, {}), 0),
      'with the first bytes': async (t) => expectOffset(await post(t, {}, bytesOf(t, 0, half)), half),
      'with all bytes': async (t) =>
        expectOffset(await post(t, { 'Upload-Complete': '?1' }, bytesOf(t)), t.options.sizeBytes),
    }),
    rule('MUST', 'create-complete', 'A creation with the whole file gets 2xx, and the upload is complete', {
      'of known length': async (t) => {
        const upload = await complete(t)
        expectNotFalse(upload.created)
        expectHeader(await head(t, upload), 'Upload-Complete', '?1')
      },
      chunked: async (t) => {
        const headers = { ...draftHeaders, ...metadataOf(t), 'Upload-Complete': '?1' }
        const x = await t.send({ method: 'POST', headers, body: bytesOf(t), framing: 'chunked' })
        expectNotFalse(x)
        expectHeader(await head(t, t.uploadOf(x)), 'Upload-Complete', '?1')
      },
    }),
    rule('MUST', 'length-recorded', 'The length of the upload is recorded, and told with the offset', {
      'from Upload-Length': async (t) => {
        expectHeader(await head(t, await create(t)), 'Upload-Length', String(t.options.sizeBytes))
      },
      'from Content-Length': async (t) => {
        expectHeader(await head(t, await complete(t)), 'Upload-Length', String(t.options.sizeBytes))
      },
    }),
    rule('MUST', 'length-differs', 'A creation with two lengths that differ gets 400', {
      'Upload-Length and Content-Length': async (t) => {
        expectStatus(await post(t, { 'Upload-Complete': '?1', 'Upload-Length': '5' }, bytesOf(t)), 400)
      },
    }),
    rule('MUST', 'interim', 'The first 104 has Location, as the last answer, and the interop version', {
      'to a creation whose body is under way': async (t) => {
        const body = bytesOf(t)
        const connection = await t.open()
        const headers = {
          ...draftHeaders,
          ...metadataOf(t),
          'Upload-Complete': '?1',
          'Content-Length': `${body.length}`,
        }
        const last = t.begin(connection, { method: 'POST', headers, framing: 'none' })
        connection.write(body.subarray(0, half))
        const first = await connection.anyResponse('POST', t.options.timeoutMs)
        if (first.status !== 104) throw new Skip(`the first answer is ${first.status}`)
        connection.write(body.subarray(half))
        const x = await last()
        const told = field(first, 'location')
        expectThat(
          told !== undefined && told === field(answered(x), 'location'),
          'the same Location',
          `${told}; ${x.got}`,
          x,
        )
        const version = field(first, 'upload-draft-interop-version')
        expectThat(version === '6', 'Upload-Draft-Interop-Version: 6', String(version), x)
      },
    }),
    rule('MUST', 'interim-version', 'No 104 to a client of another interop version, or of none', {
      'version 99': async (t) => {
        const other = { 'Upload-Draft-Interop-Version': '99', 'Upload-Complete': '?1' }
        const x = await post(t, other, bytesOf(t))
        expectThat(!answered(x).interim.includes(104), 'no 104', '104', x)
      },
      none: async (t) => {
        const x = await post(t, { 'Upload-Draft-Interop-Version': null, 'Upload-Complete': '?1' }, bytesOf(t))
        expectThat(!answered(x).interim.includes(104), 'no 104', '104', x)
      },
    }),
    rule('MUST', 'offset', 'HEAD gets 200 or 204 with Upload-Offset and Upload-Complete', {
      'of a new upload': async (t) => expectState(await head(t, await create(t)), 0, '?0'),
      'in the middle': async (t) => {
        const upload = await create(t)
        await append(t, upload, 0, bytesOf(t, 0, half), part)
        expectState(await head(t, upload), half, '?0')
      },
      'of a complete one': async (t) => expectState(await head(t, await complete(t)), t.options.sizeBytes, '?1'),
    }),
    rule('SHOULD', 'no-store', 'The offset is told with Cache-Control: no-store', {
      'of a new upload': async (t) => expectHeader(await head(t, await create(t)), 'Cache-Control', 'no-store'),
    }),
    rule('MUST', 'offset-refused', 'HEAD with Upload-Offset, Upload-Complete or Upload-Length gets 400', {
      'Upload-Offset': async (t) => void expectStatus(await head(t, await create(t), { 'Upload-Offset': '0' }), 400),
      'Upload-Complete': async (t) => void expectStatus(await head(t, await create(t), part), 400),
      'Upload-Length': async (t) => void expectStatus(await head(t, await create(t), { 'Upload-Length': '5' }), 400),
    }),
    rule('MUST', 'inactive', 'What is no upload any more, or never was, gets 404', {
      'HEAD, never': async (t) => void expectStatus(await head(t, { url: changedId(await create(t)) }), 404),
      'PATCH, never': async (t) =>
        void expectStatus(await append(t, { url: changedId(await create(t)) }, 0, bytesOf(t)), 404),
      'DELETE, never': async (t) => void expectStatus(await cancel(t, changedId(await create(t))), 404),
      'HEAD, cancelled': async (t) => {
        const upload = await create(t)
        await cancel(t, upload.url)
        expectStatus(await head(t, upload), 404)
      },
    }),
    rule('MUST', 'append', 'An append that is not the end gets 201 and Upload-Complete: ?0', {
      'at the beginning': async (t) => {
        const x = await append(t, await create(t), 0, bytesOf(t, 0, half), part)
        expectStatus(x, 201)
        expectHeader(x, 'Upload-Complete', '?0')
      },
    }),
    rule('MUST', 'append-offset', 'The answer to an append has Upload-Offset', {
      'at the beginning': async (t) =>
        expectOffset(await append(t, await create(t), 0, bytesOf(t, 0, half), part), half),
    }),
    rule('MUST', 'append-complete', 'An append with the rest gets 2xx, and the upload is complete', {
      'of known length': async (t) => await appendRest(t, await create(t), 'length'),
      'of unknown length, with Content-Length': async (t) => await appendRest(t, await create(t, {}), 'length'),
      'of unknown length, chunked': async (t) => await appendRest(t, await create(t, {}), 'chunked'),
    }),
    rule('MUST', 'append-mismatch', 'An append at another offset gets 409, with Upload-Offset', {
      'beyond the end': async (t) => {
        const x = await append(t, await create(t), 7, bytesOf(t, 7))
        expectStatus(x, 409)
        expectOffset(x, 0)
      },
    }),
    rule('MUST', 'append-completed', 'An append to a complete upload gets 400', {
      'at its end': async (t) => {
        expectStatus(await append(t, await complete(t), t.options.sizeBytes, Buffer.alloc(5)), 400)
      },
      'at its beginning': async (t) => void expectStatus(await append(t, await complete(t), 0, bytesOf(t)), 400),
    }),
    rule('MUST', 'append-differs', 'An end that is not at the recorded length gets 400', {
      'too early': async (t) => void expectStatus(await append(t, await create(t), 0, bytesOf(t, 0, half)), 400),
    }),
    rule('MUST', 'append-exceeds', 'More bytes than the recorded length get 400', {
      'with Content-Length': async (t) => {
        const body = Buffer.concat([bytesOf(t), Buffer.alloc(1)])
        expectStatus(await append(t, await create(t), 0, body, part), 400)
      },
      chunked: async (t) => {
        const body = Buffer.concat([bytesOf(t), Buffer.alloc(1)])
        const spec = appendSpec(await create(t), 0, body, part)
        expectStatus(await t.send({ ...spec, framing: 'chunked' }), 400)
      },
    }),
    rule('STATED', 'append-type', 'An append has the type application/partial-upload', {
      'octet-stream is refused': async (t) => {
        const x = await append(t, await create(t), 0, bytesOf(t), { 'Content-Type': 'application/octet-stream' })
        expectThat(answered(x).status >= 400, 'a refusal', x.got, x)
      },
    }),
    rule('STATED', 'not-by-offset', 'An upload is not complete by its offset alone', {
      'all bytes with ?0': async (t) => {
        const upload = await create(t)
        await append(t, upload, 0, bytesOf(t), part)
        expectHeader(await head(t, upload), 'Upload-Complete', '?0')
      },
    }),
    rule('MUST', 'cut', 'A body that was cut off does not complete the upload', {
      chunked: async (t) => {
        const upload = await create(t, {})
        const connection = await t.open()
        const body = bytesOf(t, 0, half)
        const spec = appendSpec(upload, 0, body, { 'Transfer-Encoding': 'chunked' })
        t.begin(connection, { ...spec, framing: 'none' })
        await connection.flush(
          Buffer.concat([Buffer.from(`${(half + 9).toString(16)}\r\n`), body]),
          t.options.timeoutMs,
        )
        await pause(100)
        connection.destroy()
        const deadline = Date.now() + t.options.takeoverMs
        let x = await head(t, upload)
        while (x.response?.status === 423 && Date.now() < deadline) {
          await pause(100)
          x = await head(t, upload)
        }
        expectHeader(x, 'Upload-Complete', '?0')
      },
    }),
    rule('MUST', 'cancel', 'DELETE gets 204', {
      'of an unfinished upload': async (t) => void expectStatus(await cancel(t, (await create(t)).url), 204),
    }),
    rule('MUST', 'cancel-refused', 'DELETE with Upload-Offset or Upload-Complete gets 400', {
      'Upload-Offset': async (t) =>
        void expectStatus(await cancel(t, (await create(t)).url, { 'Upload-Offset': '0' }), 400),
      'Upload-Complete': async (t) => void expectStatus(await cancel(t, (await create(t)).url, part), 400),
    }),
  ],
}

function metadataOf({ payload }: Harness): Headers {
  return payload.metadata ? { 'Upload-Metadata': payload.metadata } : {}
}

function expectState(x: Exchange, offset: number, isComplete: '?0' | '?1'): void {
  expectStatus(x, 200, 204)
  expectOffset(x, offset)
  expectHeader(x, 'Upload-Complete', isComplete)
}

async function appendRest(t: Harness, upload: Upload, framing: 'length' | 'chunked'): Promise<void> {
  await append(t, upload, 0, bytesOf(t, 0, half), part)
  expectNotFalse(await t.send({ ...appendSpec(upload, half, bytesOf(t, half), {}), framing }))
  expectState(await head(t, upload), t.options.sizeBytes, '?1')
}
