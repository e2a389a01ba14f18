import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PATIENCE_MS, waitFor } from '../../support/http.ts'
import { type HttpProxy, startHttpProxy } from '../../support/http-proxy.ts'
import { s3Operation } from '../../support/s3-operations.ts'

let server: Server
let proxy: HttpProxy
let bodies: string[]
let aborted: number

beforeEach(async () => {
  bodies = []
  aborted = 0
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (data) => {
      body += data
    })
    request.on('error', () => {}) // cut on purpose
    request.on('close', () => {
      if (!request.complete) aborted++
    })
    request.on('end', () => {
      bodies.push(body)
      response.setHeader('x-host', String(request.headers.host)).end(`got ${body.length}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  proxy = await startHttpProxy(`http://127.0.0.1:${address.port}`)
})

afterEach(async () => {
  await proxy.stop()
  server.close()
  server.closeAllConnections()
})

const put = (path: string, body: string) =>
  fetch(`${proxy.url}${path}`, { method: 'PUT', body, signal: AbortSignal.timeout(PATIENCE_MS) })

test('passes requests on with their Host and counts them by operation', async () => {
  const answer = await put('/bucket/key', 'x'.repeat(100_000))
  expect(await answer.text()).toBe('got 100000')
  expect(answer.headers.get('x-host')).toBe(`127.0.0.1:${proxy.port}`)
  await put('/bucket/key?partNumber=1&uploadId=u', 'y')
  expect(proxy.counts()).toEqual({ PutObject: 1, UploadPart: 1 })
  expect(proxy.calls[0]).toMatchObject({ requestBytes: 100_000, status: 200 })
})

test('answers 503 for the chosen operation, as often as told', async () => {
  proxy.fault({ when: 'PutObject', times: 2, act: 'answer', status: 503, body: 'slow down' })
  const statuses: number[] = []
  for (let n = 0; n < 3; n++) statuses.push((await put('/bucket/key', 'x')).status)
  expect(statuses).toEqual([503, 503, 200])
  expect((await put('/bucket/key?partNumber=1&uploadId=u', 'x')).status).toBe(200)
  expect(bodies).toHaveLength(2)
})

test('drops the answer after the target did the work', async () => {
  proxy.fault({ when: 'PutObject', times: 1, act: 'dropResponse' })
  await expect(put('/bucket/key', 'done')).rejects.toThrow('fetch failed')
  expect(bodies).toEqual(['done'])
  expect(proxy.calls[0]?.status).toBe(0)
})

test('cuts a request in the middle of its body', async () => {
  proxy.fault({ act: 'cutRequest', afterBytes: 1_000 })
  await expect(put('/bucket/key', 'x'.repeat(500_000))).rejects.toThrow('fetch failed')
  await waitFor(() => aborted === 1)
  expect(bodies).toEqual([])
})

test('delays requests and answers, and keeps silent', async () => {
  const remove = proxy.fault({ act: 'delay', ms: 150 })
  let startedAt = performance.now()
  await put('/bucket/key', 'x')
  expect(performance.now() - startedAt).toBeGreaterThan(145)
  remove()
  proxy.fault({ times: 1, act: 'delayResponse', ms: 150 })
  startedAt = performance.now()
  await put('/bucket/key', 'x')
  expect(performance.now() - startedAt).toBeGreaterThan(145)
  proxy.fault({ act: 'silence' })
  const unanswered = fetch(`${proxy.url}/bucket/key`, { signal: AbortSignal.timeout(200) })
  await expect(unanswered).rejects.toThrow('timeout')
  expect(bodies).toHaveLength(2)
})

describe('operation names', () => {
  test.each([
    ['GET', '/', 'ListBuckets'],
    ['PUT', '/b', 'CreateBucket'],
    ['GET', '/b?list-type=2&prefix=a%2F', 'ListObjectsV2'],
    ['GET', '/b/?uploads', 'ListMultipartUploads'],
    ['POST', '/b?delete', 'DeleteObjects'],
    ['HEAD', '/b/k', 'HeadObject'],
    ['GET', '/b/k?uploadId=u', 'ListParts'],
    ['POST', '/b/k?uploads', 'CreateMultipartUpload'],
    ['POST', '/b/k?uploadId=u', 'CompleteMultipartUpload'],
    ['DELETE', '/b/k?uploadId=u', 'AbortMultipartUpload'],
    ['DELETE', '/b/a/b', 'DeleteObject'],
    ['GET', '/b/a/b', 'GetObject'],
  ])('%s %s is %s', (method, url, name) => {
    expect(s3Operation(method, url, false)).toBe(name)
  })

  test('copies are told apart', () => {
    expect(s3Operation('PUT', '/b/k', true)).toBe('CopyObject')
    expect(s3Operation('PUT', '/b/k?partNumber=2&uploadId=u', true)).toBe('UploadPartCopy')
  })
})
