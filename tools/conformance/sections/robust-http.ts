// Robustness: HTTP itself. Framing, several requests on one connection, methods and odd bodies.
import {
  answered,
  expectClientError,
  expectNoServerError,
  expectOffset,
  expectStatus,
  expectThat,
  succeeded,
} from '../expect.ts'
import type { Harness } from '../harness.ts'
import { type Check, Deviation, rule, type Section } from '../model.ts'
import { unknownUpload } from '../uploads.ts'
import { encodeChunk, encodeLastChunk, field, type Response } from '../wire/message.ts'
import { size, withPairs } from './creation-metadata.ts'

export const robustHttp: Section = {
  key: 'robust-http',
  title: 'Robustness: HTTP',
  rules: [
    rule('ROBUST', 'chunked', 'A PATCH may be sent in chunked transfer coding', {
      'one chunk': async (t) => {
        const spec = t.patchSpec(await t.create(), 0, t.payload.bytes(0, 1100))
        const x = await t.send({ ...spec, framing: 'chunked' })
        expectStatus(x, 204)
        expectOffset(x, 1100)
      },
      'many chunks, with chunk extensions': async (t) => {
        const upload = await t.create()
        const connection = await t.open(upload.url)
        const answer = t.begin(connection, { ...t.patchSpec(upload, 0, Buffer.alloc(0)), framing: 'chunked' })
        for (let at = 0; at < 1100; at += 100) {
          const chunk = encodeChunk(t.payload.bytes(at, at + 100)).toString('latin1')
          connection.write(Buffer.from(chunk.replace('\r\n', ';note="x"\r\n'), 'latin1'))
        }
        connection.write(encodeLastChunk())
        const x = await answer()
        expectStatus(x, 204)
        expectOffset(x, 1100)
      },
    }),
    rule('ROBUST', 'too-much', 'More bytes than Upload-Length never raise the offset above the length', {
      'announced by Content-Length': async (t) => {
        const upload = await t.create({ length: 2000 })
        expectNoServerError(await t.patch(upload, 0, t.payload.bytes(0, 3000)))
        const offset = await t.offsetOf(upload)
        t.note(`offset ${offset} of 2000`)
        expectThat(offset <= 2000, 'an offset up to 2000', String(offset))
      },
      chunked: async (t) => {
        const upload = await t.create({ length: 2000 })
        const x = await t.send({ ...t.patchSpec(upload, 0, t.payload.bytes(0, 3000)), framing: 'chunked' })
        expectNoServerError(x)
        const offset = await t.offsetOf(upload)
        t.note(`${x.response?.status}, offset ${offset} of 2000`)
        expectThat(offset <= 2000, 'an offset up to 2000', String(offset))
        if (offset === 2000) await t.expectContent(upload, t.payload.bytes(0, 2000))
      },
      'past the end of a complete upload': async (t) => {
        const end = t.options.sizeBytes
        const upload = await t.createComplete()
        expectNoServerError(await t.patch(upload, end, t.payload.bytes(end, end + 100)))
        await t.expectOffsetStays(upload, end, 'a PATCH past the end')
        await t.expectContent(upload, t.payload.bytes(0, end))
      },
    }),
    rule('ROBUST', 'empty', 'A PATCH without bytes is harmless', {
      'in the middle': emptyPatch(async (t) => {
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        return { upload, offset: 1100 }
      }),
      'on a complete upload': emptyPatch(async (t) => ({
        upload: await t.createComplete(),
        offset: t.options.sizeBytes,
      })),
      'without Content-Length': async (t) => {
        const upload = await t.create()
        const x = await t.send({ ...t.patchSpec(upload, 0, Buffer.alloc(0)), framing: 'none' })
        expectNoServerError(x)
        await t.expectOffsetStays(upload, 0, 'a PATCH without a body')
      },
    }),
    rule('ROBUST', 'two-framings', 'Content-Length together with chunked coding is refused, or chunked coding wins', {
      'a PATCH with both': async (t) => {
        const upload = await t.create()
        const spec = t.patchSpec(upload, 0, t.payload.bytes(0, 1100), { 'Content-Length': '5' })
        const x = await t.send({ ...spec, framing: 'chunked' })
        if (x.response) expectNoServerError(x)
        const offset = await t.offsetOf(upload)
        expectThat(offset === 0 || offset === 1100, 'offset 0 or 1100', String(offset), x)
      },
    }),
    rule('ROBUST', 'head-body', 'A body on HEAD is read or the connection closed, and the answer has none', {
      'and the next request is understood': async (t) => {
        const upload = await t.create()
        const connection = await t.open(upload.url)
        const x = await t.on(connection, { method: 'HEAD', url: upload.url, body: Buffer.from('x=1&y') })
        expectStatus(x, 200, 204, 400)
        if (closes(answered(x)) || (await connection.closedWithin(100))) return
        expectStatus(await t.on(connection, { method: 'HEAD', url: upload.url }), 200, 204)
      },
    }),
    rule('ROBUST', 'names', 'Header names and the media type are compared without case', {
      'lower-case header names': async (t) => {
        const upload = await t.create()
        const headers = {
          'tus-resumable': '1.0.0',
          'content-type': 'application/offset+octet-stream',
          'upload-offset': '0',
        }
        const x = await t.send({ method: 'PATCH', url: upload.url, headers, body: t.payload.bytes(0, 1100) })
        expectStatus(x, 204)
      },
      'an upper-case media type': async (t) => {
        const type = { 'Content-Type': 'Application/Offset+Octet-Stream' }
        expectStatus(await t.patch(await t.create(), 0, t.payload.bytes(0, 1100), type), 204)
      },
    }),
    rule('ROBUST', 'absolute-form', 'A request target in absolute form is understood (RFC 9112, 3.2.2)', {
      'HEAD http://host/…': async (t) => {
        const { url } = await t.create()
        expectStatus(await t.send({ method: 'HEAD', url, target: url.href }), 200, 204)
      },
    }),
    rule('ROBUST', 'expect', 'Expect: 100-continue is answered before the body', {
      'a PATCH that is welcome': async (t) => {
        const upload = await t.create()
        const connection = await t.open(upload.url)
        const body = t.payload.bytes(0, 1100)
        const answer = t.begin(connection, t.patchSpec(upload, 0, body, { Expect: '100-continue' }))
        const early = await connection.anyResponse('PATCH', t.options.timeoutMs)
        expectThat(early.status === 100, '100 Continue', `${early.status} ${early.reason}`)
        connection.write(body)
        expectStatus(await answer(), 204)
      },
      'a PATCH at the wrong offset': async (t) => {
        const upload = await t.create()
        const connection = await t.open(upload.url)
        const body = t.payload.bytes(0, 1100)
        const answer = t.begin(connection, t.patchSpec(upload, 500, body, { Expect: '100-continue' }))
        const early = await connection.anyResponse('PATCH', t.options.timeoutMs)
        t.note(early.status === 100 ? 'the server asks for the body first' : 'refused without the body')
        if (early.status === 100) connection.write(body)
        const status = early.status === 100 ? answered(await answer()).status : early.status
        expectThat(status === 409, '409', String(status))
      },
    }),
    rule('ROBUST', 'pipelining', 'Pipelined requests on one connection are answered in their order', {
      'three HEADs': async (t) => {
        const uploads = [await t.create(), await t.create(), await t.create()]
        for (const [index, upload] of uploads.entries()) {
          if (index > 0) await t.mustPatch(upload, 0, t.payload.bytes(0, index * 1100))
        }
        const connection = await t.open(uploads[0]?.url)
        const answers = uploads.map(({ url }) => t.begin(connection, { method: 'HEAD', url }))
        for (const [index, answer] of answers.entries()) expectOffset(await answer(), index * 1100)
      },
      'PATCH and HEAD': async (t) => {
        const upload = await t.create()
        const connection = await t.open(upload.url)
        const body = t.payload.bytes(0, 1100)
        const patched = t.begin(connection, t.patchSpec(upload, 0, body))
        connection.write(body)
        const asked = t.begin(connection, { method: 'HEAD', url: upload.url })
        expectStatus(await patched(), 204)
        expectOffset(await asked(), 1100)
      },
    }),
    rule('ROBUST', 'keep-alive', 'After an error the connection can be used, or its end is announced', {
      'after 404 to HEAD': keepAlive(async (t) => ({ method: 'HEAD', url: await unknownUpload(t) })),
      'after 409 to PATCH': keepAlive(async (t) => t.patchSpec(await t.create(), 500, t.payload.bytes(0, 1100))),
      'after 415 to PATCH': keepAlive(async (t) =>
        t.patchSpec(await t.create(), 0, t.payload.bytes(0, 1100), { 'Content-Type': 'text/plain' }),
      ),
      'after 412 to POST': keepAlive(async (t) => ({
        method: 'POST',
        headers: { ...size(t), ...withPairs(t, 'a YQ=='), 'Tus-Resumable': '99.0.0' },
      })),
    }),
    rule('ROBUST', 'body-as-request', 'The body of a refused PATCH is not read as the next request', {
      'a body that looks like a DELETE': async (t) => {
        const victim = await t.create()
        const upload = await t.create()
        const { pathname, host } = victim.url
        const body = Buffer.from(
          `DELETE ${pathname} HTTP/1.1\r\nHost: ${host}\r\nTus-Resumable: 1.0.0\r\nContent-Length: 0\r\n\r\n`,
        )
        const connection = await t.open(upload.url)
        const x = await t.on(connection, t.patchSpec(upload, 500, body))
        expectStatus(x, 409)
        if (!closes(answered(x))) await t.on(connection, { method: 'HEAD', url: upload.url })
        await connection.closedWithin(200)
        expectThat(connection.unread === 0, 'no further answer', `${connection.unread} bytes more`, x)
        await t.expectOffsetStays(victim, 0, 'a body that looks like a DELETE')
      },
    }),
    rule(
      'ROBUST',
      'override-framing',
      'The answer to a POST with the method override HEAD is a complete HTTP message',
      {
        'its Content-Length is true': async (t) => {
          const { url } = await t.create()
          const x = await t.send({ method: 'POST', url, headers: { 'X-HTTP-Method-Override': 'HEAD' } })
          expectNoServerError(x)
        },
      },
    ),
    rule('ROBUST', 'methods', 'Unsupported methods are refused', {
      'PUT on an upload': methodRefused('PUT'),
      'POST on an upload': methodRefused('POST'),
      'an unknown method': methodRefused('FROB'),
      'X-HTTP-Method-Override: FROB': methodRefused('POST', 'FROB'),
    }),
  ],
}

function closes(response: Response): boolean {
  return field(response, 'Connection')?.toLowerCase() === 'close'
}

function emptyPatch(make: (t: Harness) => Promise<{ upload: { url: URL }; offset: number }>): Check {
  return async (t) => {
    const { upload, offset } = await make(t)
    const x = await t.patch(upload, offset, Buffer.alloc(0))
    expectNoServerError(x)
    if (succeeded(x)) expectOffset(x, offset)
    await t.expectOffsetStays(upload, offset, 'an empty PATCH')
  }
}

type Refusable = Parameters<Harness['on']>[1]

function keepAlive(make: (t: Harness) => Promise<Refusable>): Check {
  return async (t) => {
    const good = await t.create()
    const spec = await make(t)
    const connection = await t.open(spec.url)
    const x = await t.on(connection, spec)
    expectClientError(x)
    if (closes(answered(x))) return t.note('the server closes the connection, and says so')
    if (await connection.closedWithin(100)) {
      throw new Deviation('an open connection, or Connection: close', `closed without notice; ${x.got}`, x.request)
    }
    expectStatus(await t.on(connection, { method: 'HEAD', url: good.url }), 200, 204)
  }
}

function methodRefused(method: string, override?: string): Check {
  return async (t) => {
    const upload = await t.create()
    const headers = override === undefined ? {} : { 'X-HTTP-Method-Override': override }
    const x = await t.send({ method, url: upload.url, headers })
    const { status } = answered(x)
    expectThat((status >= 400 && status < 500) || status === 501, '4xx or 501', x.got, x)
    await t.expectOffsetStays(upload, 0, `${method} ${override ?? ''}`)
  }
}
