// The shipped nginx configuration under a real nginx, with a stand-in for the service behind it.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { request as requestTls } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { localCertificate } from '../../support/certificate.ts'
import { type Child, startChild } from '../../support/children.ts'
import { freePort, statusOf, waitFor } from '../../support/http.ts'
import { startLongLine } from '../../support/long-line.ts'

const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path))

let dir: string
let nginx: Child
let edge: string
/** Of the server with TLS and HTTP/2 as shipped, and of the same one with nginx's own window. */
let tlsPort: number
let narrowPort: number
const certificate = localCertificate()
let servicePort: number
let service: Server | undefined
let handle: (request: IncomingMessage, response: ServerResponse) => void

const ROUND_TRIP_MS = 60

async function startBackend(): Promise<void> {
  const server = createServer((incoming, outgoing) => {
    incoming.on('error', () => {}) // cut on purpose
    handle(incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(servicePort, '127.0.0.1', resolve))
  service = server
}

async function stopBackend(): Promise<void> {
  const server = service
  service = undefined
  if (server === undefined) return
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

const shipped = (name: string) => readFile(join(import.meta.dirname, '../../../docker', name), 'utf8')

/** The listener with TLS as shipped, on a port of this host, with a certificate of the test's own. */
async function tlsListener(port: number): Promise<string> {
  const listener = await shipped('tls/listen.conf.example')
  return listener.replace('listen 8443', `listen 127.0.0.1:${port}`).replaceAll('/etc/nginx/tls', join(dir, 'tls'))
}

/** The file as shipped, but for the addresses and for paths that only exist in the container. */
async function configuration(port: number): Promise<string> {
  const adapted = (await shipped('nginx.conf'))
    .replace('server service:8080', `server 127.0.0.1:${servicePort}`)
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replace('/dev/stdout', join(dir, 'access.log')) // a child's stdout here is a socket, which nobody can open
    .replaceAll('/tmp/nginx', join(dir, 'nginx'))
    .replaceAll('/etc/nginx', dir)
    .replace('worker_processes auto;', 'worker_processes 1;\ndaemon off;')
  expect(adapted).not.toContain('service:8080')
  const narrow = `
  server {
    ${(await tlsListener(narrowPort)).replace('ssl_session_cache shared:tls:10m;', '')}
    client_max_body_size 0;
    location / { proxy_http_version 1.1; proxy_request_buffering off; proxy_pass http://songngan; }
  }
}`
  return adapted.replace(/\}\s*$/, narrow)
}

/** Sends `bytes` in one PATCH over TLS; resolves with the milliseconds it took. */
async function patchMs(port: number, bytes: number, version: 'h1' | 'h2'): Promise<number> {
  const startedMs = performance.now()
  const options = { ca: certificate.certificate, servername: 'localhost' }
  const headers = { 'content-length': bytes, 'content-type': 'application/offset+octet-stream' }
  const status = await new Promise<unknown>((resolve, reject) => {
    if (version === 'h1') {
      const upload = requestTls({ ...options, port, host: '127.0.0.1', path: '/files/a', method: 'PATCH', headers })
      upload.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
      upload.end(Buffer.alloc(bytes))
    } else {
      const session = connectH2(`https://127.0.0.1:${port}`, options)
      session.on('error', reject)
      const upload = session.request({ ':method': 'PATCH', ':path': '/files/a', ...headers })
      upload.on('response', (answer) => {
        resolve(answer[':status'])
        session.close()
      })
      upload.on('error', reject)
      upload.end(Buffer.alloc(bytes))
    }
  })
  expect(status).toBe(204)
  return performance.now() - startedMs
}

describe.skipIf(NGINX === undefined)('docker/nginx.conf', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'songngan-nginx-'))
    const port = await freePort()
    servicePort = await freePort()
    tlsPort = await freePort()
    narrowPort = await freePort()
    edge = `http://127.0.0.1:${port}`
    await mkdir(join(dir, 'tls'))
    await writeFile(join(dir, 'tls/fullchain.pem'), certificate.certificate)
    await writeFile(join(dir, 'tls/privkey.pem'), certificate.key)
    await writeFile(join(dir, 'tls/listen.conf'), await tlsListener(tlsPort))
    const file = join(dir, 'nginx.conf')
    await writeFile(file, await configuration(port))
    // -e: the log of what happens before the configuration is read must not go to the system's place
    nginx = await startChild(NGINX ?? 'nginx', ['-e', 'stderr', '-p', dir, '-c', file])
    await waitFor(async () => !nginx.running() || (await statusOf(edge)) > 0)
    if (!nginx.running()) throw new Error(nginx.output())
  })

  afterAll(async () => {
    await stopBackend()
    await nginx?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  beforeEach(async () => {
    await stopBackend()
    handle = (_, response) => void response.end('ok')
  })

  test('answers HEAD with 423 while no service is there, so that a client asks again instead of starting over', async () => {
    const answer = await fetch(`${edge}/files/abc`, { method: 'HEAD' })
    expect(answer.status).toBe(423)
    expect(answer.headers.get('retry-after')).toBe('2')
  })

  test.each(['POST', 'PATCH'])('answers %s with a retryable 503 and a problem document', async (method) => {
    const answer = await fetch(`${edge}/files/abc`, { method, body: 'bytes' })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({ status: 503, code: 'UNAVAILABLE' })
  })

  test('answers HEAD with 423 when the service dies in the middle of the answer', async () => {
    handle = (_, response) => void response.socket?.destroy()
    await startBackend()
    expect((await fetch(`${edge}/files/abc`, { method: 'HEAD' })).status).toBe(423)
  })

  test('passes the service´s own answers on unchanged, 503 and 423 too', async () => {
    handle = (incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(incoming.method === 'HEAD' ? 423 : 503, { 'retry-after': '7', 'x-own': 'yes' })
        response.end('own words')
      })
    }
    await startBackend()
    const post = await fetch(`${edge}/files`, { method: 'POST' })
    expect([post.status, post.headers.get('x-own'), await post.text()]).toEqual([503, 'yes', 'own words'])
    const head = await fetch(`${edge}/files/abc`, { method: 'HEAD' })
    expect([head.status, head.headers.get('retry-after')]).toEqual([423, '7'])
  })

  test('tells the service who asks and under which name', async () => {
    let headers: IncomingMessage['headers'] = {}
    handle = (incoming, response) => {
      headers = incoming.headers
      response.end()
    }
    await startBackend()
    await fetch(`${edge}/files/abc`, { headers: { 'x-forwarded-proto': 'https' } })
    expect(headers).toMatchObject({
      host: new URL(edge).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': new URL(edge).host,
    })
  })

  test('lets bytes of an upload through as they come, and more than its own buffers hold', async () => {
    let received = 0
    handle = (incoming, response) => {
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      incoming.on('end', () => response.writeHead(204).end())
    }
    await startBackend()
    const total = 24 * 1024 * 1024
    const first = 100_000
    const status = new Promise<number>((resolve, reject) => {
      const upload = request(`${edge}/files/abc`, {
        method: 'PATCH',
        headers: { 'content-length': total, 'content-type': 'application/offset+octet-stream' },
      })
      upload.on('response', (response) => resolve(response.resume().statusCode ?? 0))
      upload.on('error', reject)
      upload.write(Buffer.alloc(first))
      // the rest is sent only when the service has what was sent: a buffering edge would wait for it for ever
      waitFor(() => received === first).then(() => upload.end(Buffer.alloc(total - first)), reject)
    })
    expect(await status).toBe(204)
    expect(received).toBe(total)
  })

  // Regression: 64 KiB a round trip, an eighth of what the same line carried over HTTP/1.1.
  test('over a long line HTTP/2 is not throttled to a small window a round trip', async () => {
    const received: number[] = []
    handle = (incoming, response) => {
      let bytes = 0
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      incoming.on('end', () => {
        received.push(bytes)
        response.writeHead(204).end()
      })
    }
    await startBackend()
    const bytes = 6 * 1024 * 1024
    const [line, narrowLine] = [
      await startLongLine(tlsPort, ROUND_TRIP_MS),
      await startLongLine(narrowPort, ROUND_TRIP_MS),
    ]
    try {
      const h1 = await patchMs(line.port, bytes, 'h1')
      const h2 = await patchMs(line.port, bytes, 'h2')
      const narrow = await patchMs(narrowLine.port, bytes, 'h2')
      expect(received).toEqual([bytes, bytes, bytes])
      const speed = (ms: number) => `${(bytes / 1000 / ms).toFixed(1)} MB/s`
      console.info(`${ROUND_TRIP_MS} ms: h1 ${speed(h1)}, h2 ${speed(h2)}, h2 with nginx's own window ${speed(narrow)}`)
      // Of 96 round trips with a window of 64 KiB a sixteenth is left.
      expect(h2).toBeLessThan(narrow / 2)
    } finally {
      await line.stop()
      await narrowLine.stop()
    }
  })

  test('tells the service that a request came by TLS', async () => {
    let proto: unknown
    handle = (incoming, response) => {
      proto = incoming.headers['x-forwarded-proto']
      incoming.resume()
      response.writeHead(204).end()
    }
    await startBackend()
    await patchMs(tlsPort, 1, 'h2')
    expect(proto).toBe('https')
  })

  test('passes an early refusal on while the body is still being sent', async () => {
    handle = (_, response) => {
      response.writeHead(409, { 'upload-offset': '5', connection: 'close' }).end()
    }
    await startBackend()
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const upload = request(`${edge}/files/abc`, { method: 'PATCH', headers: { 'content-length': 1e9 } })
      upload.on('response', resolve)
      upload.on('error', reject)
      upload.write(Buffer.alloc(100_000))
    })
    expect([answer.statusCode, answer.headers['upload-offset']]).toEqual([409, '5'])
    answer.destroy()
  })

  test('lets server-sent events through one by one', async () => {
    let stream: ServerResponse | undefined
    handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      stream = response
    }
    await startBackend()
    const answer = await fetch(`${edge}/v1/submissions/S1/events`)
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    const next = async () => Buffer.from((await reader.read()).value ?? []).toString()
    expect(await next()).toBe('data: 1\n\n')
    stream?.write('data: 2\n\n')
    expect(await next()).toBe('data: 2\n\n')
    await reader.cancel()
  })

  test('logs neither the token of a link nor that of an event stream', async () => {
    await startBackend()
    await fetch(`${edge}/media/SECRET1/%E0%B8%81.mp4`)
    await fetch(`${edge}/receipts/SECRET3.x`)
    await fetch(`${edge}/v1/submissions/S1/events?access_token=SECRET2`)
    const log = await waitFor(async () => {
      const text = await readFile(join(dir, 'access.log'), 'utf8')
      return text.includes('/v1/submissions/S1/events 200') && text
    })
    expect(log).toContain('GET /media/-/')
    expect(log).toContain('GET /receipts/- ')
    expect(log + nginx.output()).not.toContain('SECRET')
  })

  test('logs no credential while no service is there, when nginx itself has something to say', async () => {
    await stopBackend()
    const paths = [
      '/media/SECRET-1/a.mp4',
      '/receipts/SECRET-5.x',
      '/v1/submissions/S/events?access_token=SECRET-2',
      '/files/a?access_token=SECRET-3',
    ]
    for (const path of paths) expect((await fetch(edge + path)).status).toBe(503)
    // One that falls silent in the middle of its answer.
    await startBackend()
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('abc')
      setTimeout(() => response.destroy(), 50)
    }
    await fetch(`${edge}/media/SECRET-4/a.mp4`).then((answer) => answer.text().catch(() => ''))
    const log = await waitFor(async () => {
      const text = await readFile(join(dir, 'access.log'), 'utf8')
      return text.split(' 503 ').length > 3 && text.includes('upstream=200') && text
    })
    // The operator still sees that nobody answered.
    expect(log).toMatch(/GET \/v1\/submissions\/S\/events 503 .*upstream=502/)
    expect(log + nginx.output()).not.toContain('SECRET')
  })
})
