// The upload that try and surge make, against a small tus server: cut lines, resumption, refusals, and what is counted.

import { createHash, randomBytes } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CHUNK_BYTES, type Source } from '../../../tools/lib/source.ts'
import { type UploadJob, uploadByTus, type WireAnswer } from '../../../tools/lib/tus-upload.ts'
import { type ReferenceOptions, startReferenceServer } from '../../support/conformance/reference-server.ts'

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(cleanUp.splice(0).map((end) => end()))
})

async function tusServer(options: ReferenceOptions = {}): Promise<string> {
  const server = await startReferenceServer(options)
  cleanUp.push(() => server.close())
  return server.url.href
}

async function httpServer(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`
}

function memorySource(bytes: Buffer): Source {
  return {
    bytes: bytes.length,
    async *chunks(start, end) {
      for (let at = start; at < end; at += CHUNK_BYTES) yield bytes.subarray(at, Math.min(at + CHUNK_BYTES, end))
    },
  }
}

function job(endpoint: string, bytes: Buffer, more: Partial<UploadJob> = {}): UploadJob {
  return {
    endpoint,
    source: memorySource(bytes),
    metadata: { filename: 'บทเรียน.mp4' },
    ticket: async () => 'ticket',
    ...more,
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('uploadByTus', () => {
  it('goes on after a cut line from where the server says, and the file is whole', async () => {
    const bytes = randomBytes(3_000_000)
    const answers: WireAnswer[] = []
    const result = await uploadByTus(
      job(await tusServer(), bytes, {
        cutAt: [1_200_000, 2_000_000],
        onAnswer: (answer) => answers.push(answer),
      }),
    )
    expect(result).toMatchObject({ failure: undefined, cuts: 2, restarts: 0 })
    // Once more where the server was still storing what came before the cut, and refused its old offset.
    expect(result.resumedAt.length).toBeGreaterThanOrEqual(2)
    for (const offset of result.resumedAt) expect(offset).toBeGreaterThan(0)
    expect(result.sentBytes).toBeGreaterThanOrEqual(bytes.length)
    const seen = answers.map(({ method, status }) => `${method} ${status}`).filter((answer) => answer !== 'PATCH 409')
    expect(seen).toEqual(['POST 201', ...result.resumedAt.map(() => 'HEAD 200'), 'PATCH 204'])
    const stored = await fetch(result.url ?? '')
    expect(sha256(Buffer.from(await stored.arrayBuffer()))).toBe(sha256(bytes))
  })

  it('asks for a ticket before every creation and shows it on every request', async () => {
    const seen: string[] = []
    let tickets = 0
    let refused = false
    const endpoint = await httpServer((request, response) => {
      seen.push(`${request.method} ${request.headers.authorization}`)
      request.resume()
      if (request.method === 'POST' && !refused) {
        refused = true
        response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{"code":"DRAINING"}')
      } else if (request.method === 'POST') response.writeHead(201, { location: '/files/a' }).end()
      else request.on('end', () => response.writeHead(204, { 'upload-offset': '5' }).end())
    })
    const answers: WireAnswer[] = []
    const result = await uploadByTus(
      job(endpoint, Buffer.from('bytes'), {
        ticket: async () => {
          tickets += 1
          return `t${tickets}`
        },
        onAnswer: (answer) => answers.push(answer),
      }),
    )
    expect(result.failure).toBeUndefined()
    expect(seen).toEqual(['POST Bearer t1', 'POST Bearer t2', 'PATCH Bearer t2'])
    expect(answers[0]).toMatchObject({ method: 'POST', status: 503, code: 'DRAINING' })
  })

  it('a refusal that is final ends it with its code', async () => {
    const endpoint = await httpServer((request, response) => {
      request.resume()
      response.writeHead(413, { 'content-type': 'application/problem+json' }).end('{"code":"UPLOAD_TOO_LARGE"}')
    })
    const result = await uploadByTus(job(endpoint, Buffer.from('bytes')))
    expect(result).toMatchObject({ failureCode: 'UPLOAD_TOO_LARGE', url: undefined })
    expect(result.failure).toContain('413')
  })

  it('a HEAD answered 502 by a proxy does not make it begin again', async () => {
    const bytes = randomBytes(2_000_000)
    let heads = 0
    const seen: string[] = []
    let kept = 0
    const endpoint = await httpServer((request, response) => {
      seen.push(request.method ?? '')
      if (request.method === 'POST') response.writeHead(201, { location: '/files/a' }).end()
      else if (request.method === 'HEAD') {
        heads += 1
        const headers = { 'upload-offset': String(kept), 'upload-length': String(bytes.length) }
        if (heads === 1) response.writeHead(502).end()
        else response.writeHead(200, headers).end()
      } else {
        request.on('data', (chunk: Buffer) => {
          kept += chunk.length
        })
        request.on('error', () => undefined) // the cut
        request.on('end', () => response.writeHead(204, { 'upload-offset': String(kept) }).end())
      }
    })
    const result = await uploadByTus(job(endpoint, bytes, { cutAt: [1_000_000] }))
    expect(result).toMatchObject({ failure: undefined, restarts: 0, cuts: 1 })
    expect(seen.filter((method) => method === 'POST')).toHaveLength(1)
    expect(heads).toBe(2)
  })

  it('counts a restart where the server has forgotten the upload', async () => {
    const bytes = randomBytes(2_000_000)
    let posts = 0
    const endpoint = await httpServer((request, response) => {
      let got = 0
      request.on('data', (chunk: Buffer) => {
        got += chunk.length
      })
      request.on('error', () => undefined) // the cut
      request.on('end', () => {
        if (request.method === 'POST') {
          posts += 1
          response.writeHead(201, { location: `/files/${posts}` }).end()
        } else if (request.method === 'HEAD') response.writeHead(404).end()
        else response.writeHead(204, { 'upload-offset': String(got) }).end()
      })
    })
    const result = await uploadByTus(job(endpoint, bytes, { cutAt: [1_000_000] }))
    expect(result).toMatchObject({ failure: undefined, restarts: 1 })
    expect(posts).toBe(2)
  })

  it('a slow line takes its time', async () => {
    const startedMs = performance.now()
    const result = await uploadByTus(job(await tusServer(), randomBytes(500_000), { bytesPerSecond: 1_000_000 }))
    expect(result.failure).toBeUndefined()
    expect(performance.now() - startedMs).toBeGreaterThan(400)
  })

  it('gives up when told to', async () => {
    const stop = new AbortController()
    const result = uploadByTus(
      job(await tusServer(), randomBytes(2_000_000), {
        bytesPerSecond: 200_000,
        signal: stop.signal,
        onBytes: () => stop.abort(),
      }),
    )
    expect((await result).failure).toBe('given up: out of time')
  })
})
