// Extension creation-with-upload: bytes in the POST.
import { expectOffset, expectRefused, expectStatus, expectThat } from '../expect.ts'
import type { Harness } from '../harness.ts'
import { Deviation, rule, type Section, Skip, untested } from '../model.ts'
import { field, type Headers } from '../wire/message.ts'

const offsetType = 'application/offset+octet-stream'

export const creationWithUpload: Section = {
  key: 'with-upload',
  title: 'Creation With Upload',
  extension: 'creation-with-upload',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server with this extension announces creation-with-upload',
      {
        'where POST takes bytes': async (t) => {
          if (t.announces('creation-with-upload')) return
          const x = await t.post(sized(t), t.payload.bytes(0, 1100))
          if (x.response?.status !== 201) return
          if ((await t.offsetOf(t.uploadOf(x))) > 0) {
            throw new Deviation('creation-with-upload in Tus-Extension', x.got, x.request)
          }
        },
      },
      { always: true },
    ),
    rule('MUST', 'needs-creation', 'It is not offered without creation', {
      'creation is announced too': async (t) => {
        const all = [...t.server.extensions].join(',')
        expectThat(t.announces('creation'), 'creation in Tus-Extension', `Tus-Extension: ${all}`)
      },
    }),
    rule('MAY', 'body', 'A client may send the complete upload, or a part of it, in the POST', {
      'the whole': async (t) => {
        expectStatus(await t.post(sized(t), t.payload.bytes(0, t.options.sizeBytes)), 201)
      },
      'a part': async (t) => {
        expectStatus(await t.post(sized(t), t.payload.bytes(0, 1100)), 201)
      },
      'nothing, with the content type': async (t) => {
        expectStatus(await t.post(sized(t), Buffer.alloc(0)), 201)
      },
    }),
    rule('SHOULD', 'as-many', 'The server stores as many of the bytes as it can', {
      'the whole': async (t) => {
        const size = t.options.sizeBytes
        const x = await t.post(sized(t), t.payload.bytes(0, size))
        expectOffset(x, size)
        await t.expectContent(t.uploadOf(x), t.payload.bytes(0, size))
      },
      'a part': async (t) => expectOffset(await t.post(sized(t), t.payload.bytes(0, 1100)), 1100),
    }),
    rule('MUST', 'offset', 'The answer carries Upload-Offset: the offset after the stored bytes', {
      'the header is there': async (t) => {
        const x = await t.post(sized(t), t.payload.bytes(0, 1100))
        expectStatus(x, 201)
        expectOffset(x, await t.offsetOf(t.uploadOf(x)))
      },
      'a PATCH goes on from it': async (t) => {
        const size = t.options.sizeBytes
        const x = await t.post(sized(t), t.payload.bytes(0, 1100))
        const upload = t.uploadOf(x)
        const from = Number(x.response && field(x.response, 'Upload-Offset'))
        expectThat(Number.isSafeInteger(from), 'an Upload-Offset', x.got, x)
        expectOffset(await t.patch(upload, from, t.payload.bytes(from, size)), size)
        await t.expectContent(upload, t.payload.bytes(0, size))
      },
      'with a deferred length': async (t) => {
        if (!t.announces('creation-defer-length')) throw new Skip('creation-defer-length is not announced')
        const headers = { 'Upload-Defer-Length': '1', 'Content-Type': offsetType }
        const x = await t.post(headers, t.payload.bytes(0, 1100))
        expectStatus(x, 201)
        expectOffset(x, await t.offsetOf(t.uploadOf(x)))
      },
    }),
    rule('STATED', 'patch-rules', 'The rules of PATCH apply to the bytes', {
      'bytes of another content type are not stored': async (t) => {
        const x = await t.post({ ...sized(t), 'Content-Type': 'text/plain' }, t.payload.bytes(0, 1100))
        if (x.response?.status !== 201) expectRefused(x)
        else expectThat((await t.offsetOf(t.uploadOf(x))) === 0, 'offset 0, or a refusal', x.got, x)
      },
    }),
    untested(
      'MUST',
      'client-type',
      'The client sends Content-Type: application/offset+octet-stream',
      'binds the client',
    ),
    untested('SHOULD', 'client-verifies', 'The client makes sure that the extension is offered', 'binds the client'),
    rule('SHOULD', 'expect', 'A client sends Expect: 100-continue to learn early whether the upload is accepted', {
      'the server answers before any byte of the body': async (t) => {
        const body = t.payload.bytes(0, t.options.sizeBytes)
        const connection = await t.open()
        const headers = { ...withMetadata(t), ...sized(t), Expect: '100-continue' }
        const answer = t.begin(connection, { method: 'POST', headers, body })
        const early = await connection.anyResponse('POST', t.options.timeoutMs)
        expectThat(early.status === 100, '100 Continue', `${early.status} ${early.reason}`)
        connection.write(body)
        expectStatus(await answer(), 201)
      },
    }),
  ],
}

function sized(t: Harness): Headers {
  return { 'Upload-Length': String(t.options.sizeBytes), 'Content-Type': offsetType }
}

function withMetadata(t: Harness): Headers {
  return t.payload.metadata ? { 'Upload-Metadata': t.payload.metadata } : {}
}
