// Requests as no good client sends them: the service answers, and goes on serving others.

import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { metadata, send, type TusUser, tusUser } from '../../support/tus.ts'
import { type Neighbour, startNeighbour } from './neighbour.ts'
import { expectProblem } from './problem.ts'

describe('with tickets', () => {
  let stack: Environment
  let neighbour: Neighbour
  let user: TusUser

  beforeAll(async () => {
    stack = await openEnvironment({ env: { CORS_ORIGINS: 'https://portal.example' } })
    neighbour = await startNeighbour(stack)
    user = await stack.user('plan')
  })
  afterEach(() => neighbour.step())
  afterAll(async () => {
    await neighbour.finish()
    await stack.close()
  })

  /** Sends text over a bare socket and gives everything that comes back until the server closes or `enough` is seen. */
  async function raw(text: string, enough: RegExp): Promise<string> {
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1')
    await once(socket, 'connect')
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => undefined) // a reset after the answer is an answer too
    socket.write(text)
    await waitFor(() => socket.closed || enough.test(answer), { what: 'an answer' })
    socket.destroy()
    return answer
  }

  test('X-Forwarded-* of a client is not trusted', async () => {
    const { headers } = await user.post({
      length: 10,
      name: 'a.pdf',
      headers: {
        'X-Forwarded-Proto': 'https,http',
        'X-Forwarded-Host': 'evil.example',
        Forwarded: 'host=evil.example;proto=https',
        'X-Forwarded-For': '10.0.0.1',
      },
    })
    expect(headers.location).toMatch(new RegExp(`^${stack.url}/files/[a-z2-7]{40}$`))
  })

  test('metadata of more than 8 KiB: 413; of 300 kB: refused before it is read', async () => {
    const big = { 'Upload-Metadata': metadata({ filename: 'a.pdf', note: 'n'.repeat(9000) }) }
    expectProblem(await user.post({ length: 10, headers: big }), 413, 'METADATA_TOO_LARGE')
    const huge = await raw(
      `POST /files HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\nUpload-Metadata: note ${'A'.repeat(300_000)}\r\n\r\n`,
      /\r\n\r\n/,
    )
    expect(huge).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('malformed tus headers: 400, 412 or 415, and the header is named', async () => {
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    for (const bad of ['-1', '1.5', '0x10', '١', '9'.repeat(30), '1,2', 'NaN']) {
      const patched = await send(
        'PATCH',
        url,
        {
          ...user.headers,
          'Content-Type': 'application/offset+octet-stream',
          'Upload-Offset': Buffer.from(bad).toString('latin1'),
        },
        Buffer.alloc(0),
      )
      expect(expectProblem(patched, 400, 'TUS_HEADER_INVALID')['header']).toBe('upload-offset')
      const posted = await send('POST', `${stack.url}/files`, {
        ...user.headers,
        'Upload-Length': Buffer.from(bad).toString('latin1'),
      })
      expectProblem(posted, 400, 'TUS_HEADER_INVALID')
    }
    expectProblem(
      await user.post({ length: 10, headers: { 'Upload-Metadata': 'a b c,,;' } }),
      400,
      'TUS_HEADER_INVALID',
    )
    expectProblem(await user.post({ length: 10, headers: { 'Upload-Defer-Length': '1' } }), 400, 'TUS_HEADER_INVALID')
    expectProblem(await user.post({ length: null, headers: { 'Upload-Defer-Length': '2' } }), 400, 'TUS_HEADER_INVALID')
    const version = await user.post({ length: 10, headers: { 'Tus-Resumable': '0.2.2' } })
    expectProblem(version, 412, 'TUS_VERSION_UNSUPPORTED')
    expect(version.headers['tus-version']).toBe('1.0.0')
    const wrongType = await user.patch(url, 0, pdfBytes(10), { 'Content-Type': 'application/octet-stream' })
    expectProblem(wrongType, 415, 'MEDIA_TYPE_UNSUPPORTED')
    expect(await user.offset(url)).toBe(0)
  })

  test('an unsupported method: 405', async () => {
    const url = await user.create({ length: 10, name: 'a.pdf' })
    expectProblem(await send('POST', url, user.headers), 405, 'METHOD_NOT_ALLOWED')
    expectProblem(await send('DELETE', `${stack.url}/files`, user.headers), 405, 'METHOD_NOT_ALLOWED')
    // With tickets nobody reads an upload here.
    expectProblem(await send('GET', url, user.headers), 405, 'METHOD_NOT_ALLOWED')
  })

  test('a body on HEAD is discarded; the next request on the connection is served', async () => {
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    const path = new URL(url).pathname
    const head = (extra: string, body: string) =>
      `HEAD ${path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nAuthorization: ${user.headers['Authorization']}\r\n${extra}\r\n${body}`
    const answer = await raw(
      head('Content-Length: 5\r\n', 'body!') + head('Connection: close\r\n', ''),
      /HTTP\/1\.1 200[\s\S]*HTTP\/1\.1 200[\s\S]*\r\n\r\n/,
    )
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(answer.match(/upload-offset: 0/gi)).toHaveLength(2)
  })

  test('an invalid URL: refused, in both languages', async () => {
    for (const path of ['/files/%ZZ', '/files/%E0%A4%A', `/files/${'a'.repeat(2000)}`]) {
      const { status } = await send('HEAD', `${stack.url}${path}`, user.headers)
      expect([400, 404], path).toContain(status)
      const patched = await user.patch(`${stack.url}${path}`, 0, Buffer.alloc(5), {
        Origin: 'https://portal.example',
      })
      expect([400, 404], path).toContain(patched.status)
      expect(patched.problem?.message.th, path).toBeTruthy()
      expect(patched.headers['access-control-allow-origin'], path).toBe('https://portal.example')
    }
  })

  test('X-HTTP-Method-Override', async () => {
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    const body = pdfBytes(5000)
    const headers = {
      ...user.headers,
      'X-HTTP-Method-Override': 'PATCH',
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': 0,
    }
    expect((await send('POST', url, headers, body)).status).toBe(204)
    expect(await user.offset(url)).toBe(5000)
  })

  test('a preflight needs no credentials; headers for pages are exposed, on refusals too', async () => {
    const origin = 'https://portal.example'
    const preflight = await send('OPTIONS', `${stack.url}/files`, {
      Origin: origin,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'authorization,upload-offset',
    })
    expect(preflight).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': origin, vary: 'Origin' },
    })
    expect(preflight.headers['access-control-allow-methods']).toMatch(/PATCH/)
    expect(preflight.headers['access-control-allow-headers']).toMatch(/upload-offset/i)
    const refusals = [
      await send('POST', `${stack.url}/files`, {
        Origin: origin,
        'Tus-Resumable': '1.0.0',
        'Upload-Length': 5,
      }),
      await send('HEAD', `${stack.url}/files/nothing`, { ...user.headers, Origin: origin }),
      await user.post({ length: 10, name: 'a.mp4', headers: { Origin: origin } }),
      await send('GET', `${stack.url}/nowhere`, { Origin: origin }),
    ]
    expect(refusals.map(({ status }) => status)).toEqual([401, 404, 415, 404])
    for (const { headers } of refusals) {
      expect(headers['access-control-allow-origin']).toBe(origin)
      for (const name of [
        'Location',
        'Upload-Offset',
        'Upload-Expires',
        'Tus-Resumable',
        'Retry-After',
        'X-Request-Id',
        'Date',
      ])
        expect(headers['access-control-expose-headers']).toContain(name)
    }
    const stranger = await send('OPTIONS', `${stack.url}/files`, {
      Origin: 'https://evil.example',
      'Access-Control-Request-Method': 'PATCH',
    })
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('OPTIONS lists the extensions of the endpoint', async () => {
    const { status, headers } = await send('OPTIONS', `${stack.url}/files`)
    expect(status).toBe(204)
    expect(headers['tus-version']).toBe('1.0.0')
    expect(headers['tus-max-size']).toBe(String(10 * 1024 ** 3))
    for (const extension of ['creation', 'creation-with-upload', 'creation-defer-length', 'expiration', 'termination'])
      expect(headers['tus-extension']?.toString().split(',')).toContain(extension)
  })
})

describe('AUTH=none', () => {
  let stack: Environment
  let user: TusUser

  beforeAll(async () => {
    stack = await openEnvironment({ env: { AUTH: 'none', MAX_UPLOAD_BYTES: '1000000' } })
    user = tusUser(stack.url, null)
  })
  afterAll(() => stack.close())

  test('anybody may upload anything, up to the limit', async () => {
    const bytes = Buffer.from('neither PDF nor film')
    const url = await user.create({ length: bytes.length })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    expect((await stack.record(url)).submissionId).toBeNull()
    expectProblem(await user.post({ length: 1_000_001 }), 413, 'UPLOAD_TOO_LARGE')
  })

  test('an empty file is complete with its creation', async () => {
    const url = await user.create({ length: 0 })
    expect((await user.head(url)).headers).toMatchObject({ 'upload-offset': '0', 'upload-length': '0' })
    expect(await stack.record(url)).toMatchObject({ state: 'stored', receivedBytes: 0 })
    expect(await stack.storedSha256(url)).toBe(sha256(Buffer.alloc(0)))
  })

  test('GET gives the bytes of an upload, with Range', async () => {
    const bytes = pdfBytes(5000)
    const url = await user.create({ length: bytes.length, body: bytes })
    const whole = await fetch(url)
    expect(whole.status).toBe(200)
    expect(sha256(Buffer.from(await whole.arrayBuffer()))).toBe(sha256(bytes))
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20))
  })

  test('a finished upload may be removed', async () => {
    const url = await user.create({ length: 5, body: Buffer.from('12345') })
    expect((await user.remove(url)).status).toBe(204)
    expect((await user.head(url)).status).toBe(410)
  })
})

describe('a short idle time-out', () => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ env: { IDLE_TIMEOUT_SECONDS: '1' } })
  })
  afterAll(() => stack.close())

  test('a client that stops sending is disconnected after the idle time-out, and its bytes are kept', async () => {
    const user = await stack.user('plan')
    const bytes = pdfBytes(900_000)
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    const sending = user.begin(url, 0, bytes.length)
    await sending.write(bytes.subarray(0, 300_000))
    const closed = once(sending.raw, 'close')
    await sending.reply.catch(() => undefined)
    await closed
    expect(await user.offset(url)).toBe(300_000)
    expect((await user.patch(url, 300_000, bytes.subarray(300_000))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  // The answer to a cut request must not leave its connection open for a rest that never comes.
  test('the same with few missing bytes', async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: 900, name: 'a.pdf' })
    const sending = user.begin(url, 0, 900)
    await sending.write(pdfBytes(900).subarray(0, 800))
    const closed = once(sending.raw, 'close')
    expect((await sending.reply).headers.connection).toBe('close')
    await closed
    expect(await user.offset(url)).toBe(800)
  })
})
