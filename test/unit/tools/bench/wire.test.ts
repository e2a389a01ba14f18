import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { flood } from '../../../../tools/bench/client/flood.ts'
import { createPayload } from '../../../../tools/bench/client/payload.ts'
import { offsetOf, upload } from '../../../../tools/bench/client/tus.ts'
import { Wire } from '../../../../tools/bench/client/wire.ts'

const MIB = 1024 ** 2
let server: Server | undefined

async function listen(listener: RequestListener): Promise<number> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

describe('the client', () => {
  it('sends all of an upload, beginning as an MP4 does, and learns where it stands', async () => {
    const bodies: Buffer[] = []
    const port = await listen(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks)
      if (request.method === 'PATCH') bodies.push(body)
      const status = { POST: 201, HEAD: 200, PATCH: 204 }[request.method ?? ''] ?? 500
      const offset = String(bodies.reduce((sum, { length }) => sum + length, 0))
      response.writeHead(status, { Location: '/files/one', 'Upload-Offset': offset }).end()
    })
    const endpoint = { port, path: '/files/', authorization: undefined }
    const { path } = await upload(endpoint, 2.5 * MIB)
    expect(path).toBe('/files/one')
    const payload = createPayload()
    const sent = Buffer.concat([payload, payload, payload.subarray(0, MIB / 2)])
    expect(bodies.map((body) => body.equals(sent))).toEqual([true])
    expect(payload.subarray(4, 12).toString()).toBe('ftypisom')
    expect(await offsetOf(endpoint, path)).toBe(2.5 * MIB)
  })

  it('stops pouring when the server has answered', async () => {
    const port = await listen((_request, response) => response.writeHead(413).end())
    const wire = await Wire.open(port)
    wire.send(`PATCH /x HTTP/1.1\r\nHost: x\r\nContent-Length: ${1024 * MIB}\r\n\r\n`)
    await wire.pour(1024 * MIB)
    expect((await wire.answer('PATCH')).status).toBe(413)
    wire.close()
  })

  it('throws when the connection breaks or no response comes', async () => {
    const rude = createTcpServer((socket) => socket.once('data', (data) => data.includes('cut') && socket.destroy()))
    rude.listen(0, '127.0.0.1')
    await once(rude, 'listening')
    const { port } = rude.address() as { port: number }
    const cut = await Wire.open(port)
    cut.send('cut me')
    await expect(cut.answer('GET')).rejects.toThrow('no response')
    expect(cut.broken).toBe(true)
    const silent = await Wire.open(port)
    silent.send('hush')
    await expect(silent.answer('GET', 50)).rejects.toThrow('within 50 ms')
    silent.close()
    rude.close()
  })

  it('floods with no more requests than allowed and counts each answer', async () => {
    let served = 0
    const port = await listen((_request, response) => {
      served++
      response.end('ok')
    })
    const result = await flood({
      port,
      connections: 4,
      seconds: 600,
      maxRequests: 50,
      send(wire) {
        wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        return 'GET'
      },
      accept: ({ status }) => expect(status).toBe(200),
    })
    expect(result.requests).toBe(50)
    expect(served).toBe(50)
  })

  it('ends a flood at the first answer that is not accepted', async () => {
    const port = await listen((_request, response) => response.writeHead(500).end())
    const options = { port, connections: 2, seconds: 5, maxRequests: 10 }
    const send = (wire: Wire) => {
      wire.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      return 'GET'
    }
    const accept = () => {
      throw new Error('not what it should be')
    }
    await expect(flood({ ...options, send, accept })).rejects.toThrow('not what it should be')
  })
})
