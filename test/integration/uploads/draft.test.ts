// The IETF draft of resumable uploads, by hand: what it asks for, and what is refused.

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filmBytes, pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { begin, type Headers, metadata, type Reply, type Sending, send } from '../../support/tus.ts'

const KIB = 1024
const LENGTH = 300 * KIB
const bytes = filmBytes(LENGTH, 'draft')
const IETF = 'https://iana.org/assignments/http-problem-types#'
const DRAFT = { RESUMABLE_UPLOADS: 'draft' }

type Interim = { status: number; headers: Record<string, unknown> }

/** Somebody with a ticket, who speaks a version of the draft. */
async function draftUser(stack: Environment, slot: string, version = '6') {
  const { headers } = await stack.user(slot)
  const common: Headers = {
    Authorization: headers['Authorization'] ?? '',
    'Upload-Draft-Interop-Version': version,
  }
  const created: Headers = { 'Content-Disposition': 'attachment; filename="a.mp4"', 'Upload-Complete': '?0' }
  const appended = (offset: number, more: Headers): Headers => ({
    ...common,
    'Content-Type': 'application/partial-upload',
    'Upload-Offset': offset,
    'Upload-Complete': '?1',
    ...more,
  })
  return {
    common,
    post: (more: Headers = {}, body?: Buffer) =>
      send('POST', `${stack.url}/files`, { ...common, ...created, ...more }, body),
    beginPost: (more: Headers): Sending => begin('POST', `${stack.url}/files`, { ...common, ...created, ...more }),
    async create(more: Headers = {}): Promise<string> {
      const {
        status,
        headers: given,
        text,
      } = await send('POST', `${stack.url}/files`, { ...common, ...created, ...more })
      expect(status, text).toBe(201)
      return given.location ?? ''
    },
    head: (url: string, more: Headers = {}) => send('HEAD', url, { ...common, ...more }),
    patch: (url: string, offset: number, body: Buffer, more: Headers = {}) =>
      send('PATCH', url, appended(offset, more), body),
    beginPatch: (url: string, offset: number, more: Headers = {}) => begin('PATCH', url, appended(offset, more)),
    remove: (url: string, more: Headers = {}) => send('DELETE', url, { ...common, ...more }),
  }
}

const told = ({ status, headers }: Reply) => [status, headers['upload-offset'], headers['upload-complete']]

function interimOf({ raw }: Sending): Interim[] {
  const seen: Interim[] = []
  raw.on('information', ({ statusCode, headers }) => seen.push({ status: statusCode, headers }))
  return seen
}

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind, env: DRAFT })
  })
  afterAll(() => stack.close())

  test('a whole file in one request: 104 with the URL while it is sent, 201 at its end', async () => {
    const user = await draftUser(stack, 'film')
    const sending = user.beginPost({ 'Upload-Complete': '?1', 'Content-Length': LENGTH, 'Content-Type': 'video/mp4' })
    const interim = interimOf(sending)
    await sending.write(bytes.subarray(0, 1000))
    await waitFor(() => interim.length > 0, { what: 'a 104' })
    const [first] = interim
    expect(first?.status).toBe(104)
    expect(first?.headers['upload-draft-interop-version']).toBe('6')
    expect(first?.headers['upload-limit']).toMatch(/^max-size=500000000, expires=\d+$/)
    sending.end(bytes.subarray(1000))
    const reply = await sending.reply
    expect(told(reply)).toEqual([201, String(LENGTH), '?1'])
    const { location = '' } = reply.headers
    expect(first?.headers['location']).toBe(location)
    expect(interim).toHaveLength(1)
    expect(reply.headers['tus-resumable']).toBeUndefined()
    expect(reply.headers['upload-expires']).toBeUndefined()
    const record = await stack.record(location)
    expect(record.declared).toEqual({ filename: 'a.mp4', type: 'video/mp4', bytes: LENGTH })
    expect(await stack.storedSha256(location)).toBe(sha256(bytes))
  })

  test('in pieces: creation without a body, appends, the offset between them', async () => {
    const user = await draftUser(stack, 'film')
    const created = await user.post({ 'Upload-Length': LENGTH })
    expect(told(created)).toEqual([201, '0', '?0'])
    const { location = '' } = created.headers
    expect(told(await user.patch(location, 0, bytes.subarray(0, 1000), { 'Upload-Complete': '?0' }))).toEqual([
      201,
      '1000',
      '?0',
    ])
    const head = await user.head(location)
    expect(told(head)).toEqual([204, '1000', '?0'])
    expect(head.headers).toMatchObject({
      'upload-length': String(LENGTH),
      'cache-control': 'no-store',
      'upload-draft-interop-version': '6',
      'upload-limit': expect.stringMatching(/^max-size=500000000, expires=\d+$/),
    })
    expect(head.headers['upload-metadata']).toBeUndefined()
    expect(told(await user.patch(location, 1000, bytes.subarray(1000)))).toEqual([201, String(LENGTH), '?1'])
    expect(told(await user.head(location))).toEqual([204, String(LENGTH), '?1'])
    expect(await stack.storedSha256(location)).toBe(sha256(bytes))
  })

  test('a length that nobody knew before the end of a chunked body, of a creation and of an append', async () => {
    const user = await draftUser(stack, 'film')
    const whole = user.beginPost({ 'Upload-Complete': '?1', 'Transfer-Encoding': 'chunked' })
    whole.end(bytes)
    const created = await whole.reply
    expect(told(created)).toEqual([201, String(LENGTH), '?1'])
    expect(await stack.storedSha256(created.headers.location ?? '')).toBe(sha256(bytes))
    const other = await draftUser(stack, 'film')
    const url = await other.create()
    expect((await other.head(url)).headers['upload-length']).toBeUndefined()
    expect(told(await other.patch(url, 0, bytes.subarray(0, 5000), { 'Upload-Complete': '?0' }))[1]).toBe('5000')
    const rest = other.beginPatch(url, 5000, { 'Transfer-Encoding': 'chunked' })
    rest.end(bytes.subarray(5000))
    expect(told(await rest.reply)).toEqual([201, String(LENGTH), '?1'])
    expect(told(await other.head(url))).toEqual([204, String(LENGTH), '?1'])
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('a body that was cut off is no end of the upload; what arrived is kept', async () => {
    const user = await draftUser(stack, 'film')
    for (const framing of [{ 'Content-Length': LENGTH }, { 'Transfer-Encoding': 'chunked' }] as Headers[]) {
      const sending = (await draftUser(stack, 'film')).beginPost({ 'Upload-Complete': '?1', ...framing })
      const interim = interimOf(sending)
      await sending.write(bytes.subarray(0, 100 * KIB))
      await waitFor(() => interim.length > 0, { what: 'a 104' })
      sending.cut()
      expect(interim[0]?.headers['location']).toMatch(/\/files\//)
    }
    const url = await user.create()
    const sending = user.beginPatch(url, 0, { 'Transfer-Encoding': 'chunked' })
    await sending.write(bytes.subarray(0, 100 * KIB))
    const partly = await waitFor(
      async () => {
        const head = await user.head(url)
        return Number(head.headers['upload-offset']) > 0 && head
      },
      { what: 'bytes' },
    )
    sending.cut()
    expect(partly.headers['upload-complete']).toBe('?0')
    const { headers } = await user.head(url)
    const offset = Number(headers['upload-offset'])
    expect([headers['upload-complete'], offset > 0 && offset <= 100 * KIB]).toEqual(['?0', true])
    expect(told(await user.patch(url, offset, bytes.subarray(offset)))).toEqual([201, String(LENGTH), '?1'])
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('cancellation: 204, and then it is gone', async () => {
    const user = await draftUser(stack, 'film')
    const url = await user.create()
    await user.patch(url, 0, bytes.subarray(0, 1000), { 'Upload-Complete': '?0' })
    const removed = await user.remove(url)
    expect([removed.status, removed.headers['tus-resumable']]).toEqual([204, undefined])
    expect((await user.head(url)).status).toBe(404)
    expect((await user.patch(url, 1000, bytes.subarray(1000))).problem?.code).toBe('UPLOAD_CANCELLED')
  })

  test('bytes for a complete upload: 400, and it stays as it is; the end may be told twice', async () => {
    const user = await draftUser(stack, 'film')
    const reply = await user.post({ 'Upload-Complete': '?1' }, bytes)
    const { location = '' } = reply.headers
    for (const offset of [0, LENGTH]) {
      const again = await user.patch(location, offset, bytes.subarray(0, 5))
      expect([again.status, again.problem?.code]).toEqual([400, 'UPLOAD_FINISHED'])
      expect(again.problem?.['type']).toBe(`${IETF}completed-upload`)
    }
    expect(told(await user.patch(location, LENGTH, Buffer.alloc(0)))).toEqual([201, String(LENGTH), '?1'])
    const removed = await user.remove(location)
    expect([removed.status, removed.problem?.code]).toEqual([409, 'UPLOAD_FINISHED'])
    expect(await stack.storedSha256(location)).toBe(sha256(bytes))
  })

  test('more bytes than declared: 400, with a length and in chunks', async () => {
    for (const framing of [{ 'Content-Length': LENGTH + 1 }, { 'Transfer-Encoding': 'chunked' }] as Headers[]) {
      const user = await draftUser(stack, 'film')
      const url = await user.create({ 'Upload-Length': LENGTH })
      const sending = user.beginPatch(url, 0, { 'Upload-Complete': '?0', ...framing })
      sending.end(Buffer.concat([bytes, Buffer.alloc(1)]))
      const { status, problem } = await sending.reply
      expect([status, problem?.code, problem?.['type']]).toEqual([
        400,
        'UPLOAD_LENGTH_EXCEEDED',
        `${IETF}inconsistent-upload-length`,
      ])
    }
  })

  test('an end before the declared length, and lengths that differ: 400', async () => {
    const user = await draftUser(stack, 'film')
    const differ = await user.post({ 'Upload-Complete': '?1', 'Upload-Length': 10 }, bytes)
    const url = await user.create({ 'Upload-Length': LENGTH })
    const early = await user.patch(url, 0, bytes.subarray(0, 1000))
    const chunked = user.beginPatch(url, 0, { 'Transfer-Encoding': 'chunked' })
    chunked.end(bytes.subarray(0, 1000))
    for (const { status, problem } of [differ, early, await chunked.reply]) {
      expect([status, problem?.code, problem?.['type']]).toEqual([
        400,
        'TUS_HEADER_INVALID',
        `${IETF}inconsistent-upload-length`,
      ])
    }
    // Bytes that were sent and stored count; the end does not.
    expect(told(await user.head(url))).toEqual([204, '1000', '?0'])
    expect(told(await user.patch(url, 1000, bytes.subarray(1000)))).toEqual([201, String(LENGTH), '?1'])
  })

  test('another offset: 409, with the right one', async () => {
    const user = await draftUser(stack, 'film')
    const url = await user.create({ 'Upload-Length': LENGTH })
    await user.patch(url, 0, bytes.subarray(0, 1000), { 'Upload-Complete': '?0' })
    const wrong = await user.patch(url, 10, bytes.subarray(10))
    expect(told(wrong)).toEqual([409, '1000', '?0'])
    expect(wrong.problem).toMatchObject({
      type: `${IETF}mismatching-upload-offset`,
      code: 'OFFSET_MISMATCH',
      'expected-offset': 1000,
      'provided-offset': 10,
    })
    expect(wrong.headers['cache-control']).toBe('no-store')
  })
})

describe('headers', () => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ env: { ...DRAFT, CORS_ORIGINS: 'https://portal.example' } })
  })
  afterAll(() => stack.close())

  const refusal = ({ status, problem }: Reply) => [status, problem?.code, problem?.['header']]

  test('missing, unreadable and forbidden ones: 400, and the header is named', async () => {
    const user = await draftUser(stack, 'film')
    const url = await user.create()
    for (const bad of ['', 'true', '?2', '1']) {
      expect(refusal(await user.post({ 'Upload-Complete': bad }))).toEqual([
        400,
        'TUS_HEADER_INVALID',
        'upload-complete',
      ])
      expect(refusal(await user.patch(url, 0, Buffer.alloc(1), { 'Upload-Complete': bad }))).toEqual([
        400,
        'TUS_HEADER_INVALID',
        'upload-complete',
      ])
    }
    for (const bad of ['-1', '1.5', 'x', '9'.repeat(20)]) {
      expect(refusal(await user.post({ 'Upload-Length': bad }))).toEqual([400, 'TUS_HEADER_INVALID', 'upload-length'])
      const patched = await user.patch(url, 0, Buffer.alloc(1), { 'Upload-Offset': bad, 'Upload-Complete': '?0' })
      expect(refusal(patched)).toEqual([400, 'TUS_HEADER_INVALID', 'upload-offset'])
    }
    const { Authorization = '' } = user.common
    const bare = { Authorization, 'Upload-Draft-Interop-Version': '6', 'Upload-Complete': '?1' }
    const typed = { ...bare, 'Content-Type': 'application/partial-upload' }
    expect(refusal(await send('PATCH', url, typed, Buffer.alloc(1)))).toEqual([
      400,
      'TUS_HEADER_INVALID',
      'upload-offset',
    ])
    const untyped = await send('PATCH', url, { ...bare, 'Upload-Offset': 0 }, Buffer.alloc(1))
    expect([untyped.status, untyped.problem?.['expected']]).toEqual([415, 'application/partial-upload'])
    expect((await user.post({ 'Upload-Offset': 0 })).status).toBe(400)
    for (const header of ['Upload-Offset', 'Upload-Complete']) {
      expect((await user.head(url, { [header]: header === 'Upload-Offset' ? 0 : '?0' })).status).toBe(400)
      expect((await user.remove(url, { [header]: header === 'Upload-Offset' ? 0 : '?0' })).status).toBe(400)
    }
    expect(told(await user.head(url))).toEqual([204, '0', '?0'])
  })

  test('an unknown upload: 404; without a ticket: 401; a creation by PUT is one; at an upload it is not', async () => {
    const user = await draftUser(stack, 'plan')
    expect((await user.head(`${stack.url}/files/unknown`)).status).toBe(404)
    expect((await user.patch(`${stack.url}/files/unknown`, 0, Buffer.alloc(1))).problem?.code).toBe('UPLOAD_UNKNOWN')
    expect((await user.post({ Authorization: '' })).problem?.code).toBe('TICKET_INVALID')
    const body = pdfBytes(5000)
    const put = await send('PUT', `${stack.url}/files`, { ...user.common, 'Upload-Complete': '?1' }, body)
    expect(told(put)).toEqual([201, '5000', '?1'])
    const { location = '' } = put.headers
    expect((await send('PUT', location, { ...user.common, 'Upload-Complete': '?1' }, body)).status).toBe(405)
    expect((await send('GET', location, user.common)).status).toBe(405)
  })

  test('limits of a slot hold: size, type by its name, type by its first bytes', async () => {
    const user = await draftUser(stack, 'plan')
    const large = await user.post({ 'Upload-Length': 2_000_000, 'Content-Disposition': 'attachment; filename=a.pdf' })
    expect([large.status, large.problem?.code]).toEqual([413, 'UPLOAD_TOO_LARGE'])
    const film = await user.post({ 'Content-Type': 'video/mp4' })
    expect([film.status, film.problem?.code]).toEqual([415, 'UPLOAD_TYPE_NOT_ALLOWED'])
    const liar = await user.post(
      { 'Upload-Complete': '?1', 'Content-Disposition': 'attachment; filename=a.pdf' },
      bytes,
    )
    expect([liar.status, liar.problem?.code]).toEqual([415, 'UPLOAD_TYPE_NOT_ALLOWED'])
  })

  test('each version in its own words', async () => {
    for (const version of ['3', '4', '5']) {
      const user = await draftUser(stack, 'film', version)
      const name = version === '3' ? 'Upload-Incomplete' : 'Upload-Complete'
      const [yes, no] = version === '3' ? ['?0', '?1'] : ['?1', '?0']
      const url = `${stack.url}/files`
      const created = await send('POST', url, { ...user.common, [name]: no, 'Upload-Length': LENGTH })
      expect([created.status, created.headers[name.toLowerCase()], created.headers['upload-limit']]).toEqual([
        201,
        no,
        undefined,
      ])
      const { location = '' } = created.headers
      const patched = await send('PATCH', location, { ...user.common, 'Upload-Offset': 0, [name]: yes }, bytes)
      expect([patched.status, patched.headers[name.toLowerCase()]]).toEqual([201, yes])
      expect((await user.head(location)).headers[name.toLowerCase()]).toBe(yes)
      expect(await stack.storedSha256(location)).toBe(sha256(bytes))
    }
  })

  test('an unknown version is none, and a request of tus is one of tus', async () => {
    const user = await draftUser(stack, 'plan')
    for (const version of ['7', '8', '06', '', 'x']) {
      const reply = await user.post({ 'Upload-Draft-Interop-Version': version })
      expect([reply.status, reply.problem?.code]).toEqual([412, 'TUS_VERSION_UNSUPPORTED'])
    }
    const tus = await user.post({
      'Tus-Resumable': '1.0.0',
      'Upload-Length': 10,
      'Upload-Metadata': metadata({ filename: 'a.pdf' }),
    })
    expect([tus.status, tus.headers['tus-resumable'], tus.headers['upload-complete']]).toEqual([
      201,
      '1.0.0',
      undefined,
    ])
  })

  test('OPTIONS names the limits, and pages of other origins may use the headers', async () => {
    const user = await draftUser(stack, 'plan')
    const options = await send('OPTIONS', `${stack.url}/files`, user.common)
    expect(options.headers['upload-limit']).toBe('max-size=10737418240')
    const preflight = await send('OPTIONS', `${stack.url}/files`, {
      Origin: 'https://portal.example',
      'Access-Control-Request-Method': 'POST',
    })
    expect(preflight.headers['access-control-allow-headers']).toMatch(/Upload-Draft-Interop-Version, Upload-Complete/)
    const { headers } = await user.post({ Origin: 'https://portal.example' })
    expect(headers['access-control-expose-headers']).toMatch(/Upload-Complete.*Upload-Limit/)
  })

  test('a 104 never comes before the answer to an earlier request of its connection, nor to HTTP/1.0', async () => {
    const user = await draftUser(stack, 'film')
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1')
    await once(socket, 'connect')
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    const lines = Object.entries({ ...user.common, Host: 'x', 'Upload-Complete': '?1' }).map(
      ([n, v]) => `${n}: ${v}\r\n`,
    )
    const post = (version: string, more = '') =>
      `POST /files HTTP/${version}\r\n${lines.join('')}Content-Length: ${LENGTH}\r\n${more}\r\n`
    socket.write(`GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n${post('1.1')}`)
    socket.write(bytes)
    await waitFor(() => text.includes('Upload-Complete: ?1'), { what: 'the last answer' })
    expect(text.match(/HTTP\/1\.1 \d+/g)?.filter((line) => !line.endsWith(' 104'))).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 201',
    ])
    expect(text.indexOf('HTTP/1.1 200')).toBe(0)
    socket.destroy()
    const old = connect(Number(new URL(stack.url).port), '127.0.0.1')
    await once(old, 'connect')
    let answer = ''
    old.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    const other = await draftUser(stack, 'film')
    old.write(post('1.0').replace(/Authorization: .*\r\n/, `Authorization: ${other.common['Authorization']}\r\n`))
    old.write(bytes)
    await once(old, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
  })
})

test('without the option a client of the draft gets the answers of tus', async () => {
  const stack = await openEnvironment({ env: { CORS_ORIGINS: 'https://portal.example' } })
  try {
    const user = await draftUser(stack, 'film')
    const reply = await user.post({ Origin: 'https://portal.example' })
    expect([reply.status, reply.problem?.code, reply.headers['tus-version']]).toEqual([
      412,
      'TUS_VERSION_UNSUPPORTED',
      '1.0.0',
    ])
    expect(reply.headers['access-control-expose-headers']).not.toContain('Upload-Complete')
    expect((await user.head(`${stack.url}/files/a`)).status).toBe(404)
    const put = await send('PUT', `${stack.url}/files`, user.common)
    expect([put.status, put.problem?.code]).toEqual([405, 'METHOD_NOT_ALLOWED'])
  } finally {
    await stack.close()
  }
})
