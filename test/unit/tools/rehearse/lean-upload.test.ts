// The client of a rehearsal against small servers: it goes on where it was, and counts what went wrong.

import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type LeanJob, uploadLean } from '../../../../tools/rehearse/client/lean-upload.ts'
import { Pacer } from '../../../../tools/rehearse/client/pacer.ts'
import { FileMaker } from '../../../../tools/rehearse/files/rehearsal-file.ts'
import type { PlannedBreak } from '../../../../tools/rehearse/plan/lines.ts'
import { startReferenceServer } from '../../../support/conformance/reference-server.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const end of cleanUp.splice(0)) await end()
})

let pacer: Pacer
beforeAll(() => {
  pacer = new Pacer()
  return () => pacer.close()
})

const file = new FileMaker().file(
  'f',
  { start: Buffer.from('start'), fillBytes: 300_000, end: Buffer.alloc(32), markAt: 0 },
  'm',
)

function job(endpoint: string, breaks: PlannedBreak[] = [], change: Partial<LeanJob> = {}): LeanJob {
  return {
    endpoint,
    file,
    pacer,
    metadata: { filename: 'ก.mp4' },
    ticket: async () => 't',
    line: { name: 'test', bytesPerSecond: 1_000_000, breaks },
    signal: new AbortController().signal,
    ...change,
  }
}

async function reference(): Promise<string> {
  const server = await startReferenceServer()
  cleanUp.push(() => server.close())
  return server.url.href
}

async function http(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp.push(
    () => server.closeAllConnections(),
    () => new Promise((resolve) => server.close(resolve)),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`
}

describe('a lean upload', () => {
  it('sends the file', async () => {
    const result = await uploadLean(job(await reference()))
    expect(result).toMatchObject({ failure: undefined, sentBytes: file.bytes, resumes: 0, restarts: 0 })
  })
  it.each(['drop', 'halfOpen'] as const)('goes on after its line broke: %s', async (kind) => {
    const result = await uploadLean(job(await reference(), [{ at: 0.5, kind, awayMs: 0 }]))
    expect(result).toMatchObject({ failure: undefined, breaks: 1, resumes: 1, restarts: 0, gaveUp: 0 })
    expect(result.sentBytes).toBeLessThan(1.2 * file.bytes)
  })
  it('ends at an answer that is final', async () => {
    const refuse = await http((_request, response) => {
      response.writeHead(413, { 'content-type': 'application/json' }).end('{"code":"UPLOAD_TOO_LARGE"}')
    })
    expect(await uploadLean(job(refuse))).toMatchObject({ failureCode: 'UPLOAD_TOO_LARGE', url: undefined })
  })
  it('asks again after 503, and its user presses again when it has given up', async () => {
    let asked = 0
    const stop = new AbortController()
    const endpoint = await http((_request, response) => {
      asked += 1
      if (asked > 1) stop.abort()
      response.writeHead(503).end()
    })
    const result = await uploadLean(job(endpoint, [], { signal: stop.signal }))
    expect(asked).toBe(2)
    expect(result.failure).toBe('given up: out of time')
  })
  it('counts a restart when an upload is gone that had got on', async () => {
    const created: string[] = []
    let cut = false
    const endpoint = await http((request, response) => {
      if (request.method === 'POST') {
        created.push(`/files/${created.length}`)
        response.writeHead(201, { location: created.at(-1) }).end()
      } else if (request.method === 'HEAD') {
        response.writeHead(404).end()
      } else if (cut) {
        request.resume().on('end', () => response.writeHead(204, { 'upload-offset': file.bytes }).end())
      } else {
        cut = true
        request.socket.destroy()
      }
    })
    const result = await uploadLean(job(endpoint))
    expect(created).toHaveLength(2)
    expect(result).toMatchObject({ failure: undefined, restarts: 1 })
  })
})

it('the file has its hash', async () => {
  const hash = createHash('sha256')
  for await (const chunk of file.chunks(0, file.bytes)) hash.update(chunk)
  expect(hash.digest('hex')).toBe(file.sha256)
})
