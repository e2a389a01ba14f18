// What clients in use send beyond the plainest way: lawful, or as good as.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filmBytes, pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { begin, send, type TusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const KIB = 1024
const bytes = filmBytes(300 * KIB, 'clients')

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind })
  })
  afterAll(() => stack.close())

  const stored = async (): Promise<{ user: TusUser; url: string }> => {
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    return { user, url }
  }

  // tus-java-client, and the Android client on it, end so when the length is a multiple of what they send at a time.
  test('an empty PATCH at the end of a complete upload is 204, with a length or in chunks', async () => {
    const { user, url } = await stored()
    const empty = await user.patch(url, bytes.length, Buffer.alloc(0))
    expect([empty.status, empty.headers['upload-offset']]).toEqual([204, String(bytes.length)])
    const chunked = user.begin(url, bytes.length)
    chunked.end()
    const reply = await chunked.reply
    expect([reply.status, reply.headers['upload-offset']]).toEqual([204, String(bytes.length)])
    await stack.deps.hot.redis.flushall()
    expect((await user.patch(url, bytes.length, Buffer.alloc(0))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('a PATCH with one byte too many is refused, with a length or in chunks; so is an empty one at another offset', async () => {
    const { user, url } = await stored()
    for (const length of [3, undefined]) {
      const sending = user.begin(url, bytes.length, length)
      sending.end(Buffer.alloc(3))
      const refused = await sending.reply
      expectProblem(refused, 409, 'OFFSET_MISMATCH')
      expect(refused.headers['upload-offset']).toBe(String(bytes.length))
    }
    expectProblem(await user.patch(url, 10, Buffer.alloc(0)), 409, 'OFFSET_MISMATCH')
  })

  // tuspy declares a deferred length with every request.
  test('the same Upload-Length again changes nothing; another one is refused', async () => {
    const user = await stack.user('film')
    const url = await user.create({ length: null, name: 'a.mp4' })
    const half = 150 * KIB
    const declared = { 'Upload-Length': bytes.length }
    expect((await user.patch(url, 0, bytes.subarray(0, half), declared)).status).toBe(204)
    const other = await user.patch(url, half, bytes.subarray(half), { 'Upload-Length': bytes.length + 1 })
    expect(expectProblem(other, 400, 'TUS_HEADER_INVALID')['header']).toBe('upload-length')
    expect((await user.patch(url, half, bytes.subarray(half), declared)).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('a length below the stored bytes is refused, and the error names the header', async () => {
    const user = await stack.user('film')
    const url = await user.create({ length: null, name: 'a.mp4' })
    await user.patch(url, 0, bytes.subarray(0, 100))
    const less = await user.patch(url, 100, Buffer.alloc(0), { 'Upload-Length': 50 })
    expect(expectProblem(less, 400, 'TUS_HEADER_INVALID')['header']).toBe('upload-length')
  })
})

describe('headers', () => {
  let stack: Environment
  let user: TusUser
  beforeAll(async () => {
    stack = await openEnvironment()
    user = await stack.user('film')
  })
  afterAll(() => stack.close())

  // tuspy and go-tus send an empty Upload-Metadata.
  test.each([
    ['', {}],
    ['filename YS5tcDQ=, filetype dmlkZW8vbXA0', { filename: 'a.mp4', filetype: 'video/mp4' }],
    ['filename YS5tcDQ=,', { filename: 'a.mp4' }],
    [' filename  YS5tcDQ= , hidden', { filename: 'a.mp4', hidden: null }],
    ['constructor YQ==,toString Yg==,__proto__ Yw==', { constructor: 'a', toString: 'b', ['__proto__']: 'c' }],
  ])('Upload-Metadata: %j', async (header, expected) => {
    const url = await user.create({ length: bytes.length, headers: { 'Upload-Metadata': header } })
    const head = await user.head(url)
    expect(head.headers['upload-metadata'] ?? '').toBe(header.trim())
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    expect(Object.entries((await stack.record(url)).metadata)).toEqual(Object.entries(expected))
  })

  test.each(['filename YS5tcDQ=,filename Yg==', 'a b c', 'a *', 'คีย์ YQ=='])(
    'an invalid Upload-Metadata is named in the error: %j',
    async (header) => {
      const latin1 = Buffer.from(header).toString('latin1')
      const refused = await user.post({ length: 10, headers: { 'Upload-Metadata': latin1 } })
      expect(expectProblem(refused, 400, 'TUS_HEADER_INVALID')['header']).toBe('upload-metadata')
    },
  )

  test('every other refused header is named in the error too', async () => {
    for (const [name, headers] of [
      ['upload-length', {}],
      ['upload-length', { 'Upload-Length': 10, 'Upload-Defer-Length': 1 }],
      ['upload-length', { 'Upload-Length': 'ten' }],
      ['upload-defer-length', { 'Upload-Defer-Length': 2 }],
      ['upload-concat', { 'Upload-Length': 10, 'Upload-Concat': 'both' }],
    ] as const) {
      const refused = await send('POST', `${stack.url}/files`, { ...user.headers, ...headers }, Buffer.alloc(0))
      expect(expectProblem(refused, 400, 'TUS_HEADER_INVALID')['header'], JSON.stringify(headers)).toBe(name)
    }
  })

  test('a method override with an unknown method is 405; so is PUT', async () => {
    const url = await user.create({ length: 10, name: 'a.mp4' })
    for (const override of ['PUT', 'SEARCH', 'x y']) {
      const reply = await send('POST', url, { ...user.headers, 'X-HTTP-Method-Override': override })
      expectProblem(reply, 405, 'METHOD_NOT_ALLOWED')
    }
    const open = await openEnvironment({ redis: stack.redis, env: { AUTH: 'none' } })
    try {
      expectProblem(await send('PUT', `${open.url}${new URL(url).pathname}`), 405, 'METHOD_NOT_ALLOWED')
    } finally {
      await open.close()
    }
  })

  test('a creation whose body is no part of the file leaves no lock behind', async () => {
    const body = Buffer.from('{}')
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length }
    const sending = begin('POST', `${stack.url}/files`, { ...user.headers, 'Upload-Length': 10, ...headers })
    sending.end(body)
    const { status, headers: answer } = await sending.reply
    expect(status).toBe(201)
    const id = String(answer.location).split('/').pop() ?? ''
    expect((await stack.deps.hot.read(id))?.holder).toBeNull()
  })
})

describe('the first bytes', () => {
  // Regression: only the kind was looked at, so that any film was taken whole and refused hours later.
  test('of a container that the slot does not accept: 415, with the accepted ones', async () => {
    const stack = await openEnvironment()
    try {
      const flv = Buffer.concat([Buffer.from('FLV\x01\x05\0\0\0\x09', 'latin1'), pdfBytes(300 * KIB)])
      const user = await stack.user('film')
      const url = await user.create({ length: flv.length, name: 'a.mp4' })
      const refused = await user.patch(url, 0, flv)
      const { limit, actual } = expectProblem(refused, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
      expect({ limit, actual }).toEqual({ limit: ['mp4', 'mov'], actual: 'flv' })
      const again = await user.post({ length: flv.length, name: 'a.mp4', body: flv })
      expectProblem(again, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
    } finally {
      await stack.close()
    }
  })
})
