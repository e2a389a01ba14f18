// A store that answers before it has read the body, and resets the line: 503 of an overloaded one. Node then leaves the
// line without anybody who listens for errors, and the process that receives everybody's uploads would end.

import { createServer, type Server } from 'node:net'
import type { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createS3Client } from '../../../src/storage/s3-client.ts'
import { S3Sender } from '../../../src/storage/s3-sender.ts'

const BODY = Buffer.alloc(16 * 1024 ** 2, 'x')
const TRIALS = 4

const answer = (status: string) =>
  `HTTP/1.1 ${status}\r\nETag: "some"\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n`

let server: Server
let client: S3Client
/** What the next connection gets. */
let trouble: 'none' | 'reset' | 'unread' = 'none'

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    if (trouble !== 'none') {
      const resets = trouble === 'reset'
      trouble = 'none'
      socket.once('data', () => {
        // What is still unread makes a reset of the closing.
        socket.pause()
        if (resets) socket.end(answer('503 Slow Down'), () => setImmediate(() => socket.resetAndDestroy()))
        else socket.write(answer('503 Slow Down'))
      })
      return
    }
    let bytes = 0
    socket.on('data', (piece) => {
      bytes += piece.length
      if (bytes > BODY.length) socket.write(answer('200 OK'))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const endpoint = `http://127.0.0.1:${address.port}`
  client = createS3Client({ endpoint, bucket: 'b', region: 'us-east-1', forcePathStyle: true })
})
afterAll(() => {
  client.destroy()
  server.close()
  vi.unstubAllEnvs()
})

// An error that nobody hears fails the run by itself.
test('is retried, and no upload fails', async () => {
  for (let trial = 0; trial < TRIALS; trial++) {
    // The first line of a process is the one that it happens to.
    trouble = 'reset'
    const sender = new S3Sender(client, 'b', 1)
    expect((await sender.put(`k${trial}`, [BODY], BODY.length)).etag).toBe('"some"')
    expect(trouble).toBe('none')
    await sender.destroy()
  }
})

test('gives its connection up if it does not read the rest either', async () => {
  trouble = 'unread'
  const sender = new S3Sender(client, 'b', 1)
  // The only connection would be waited for in vain.
  expect((await sender.put('unread', [BODY], BODY.length)).etag).toBe('"some"')
  expect(trouble).toBe('none')
  await sender.destroy()
})
