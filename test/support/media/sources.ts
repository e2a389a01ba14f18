// Byte sources for tests: from memory, counting reads, and a web server with Range as a bucket has it.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MediaSource } from '../../../workers/media/source.ts'

export type CountedSource = MediaSource & { reads: Array<{ position: number; length: number }> }

/** A source over a buffer that records what is read of it. */
export function memorySource(bytes: Buffer): CountedSource {
  const reads: CountedSource['reads'] = []
  return {
    bytes: bytes.length,
    kind: 'file',
    reads,
    toolInput: () => {
      throw new Error('no tool may be started on this source')
    },
    async readAt(position, length) {
      reads.push({ position, length })
      return bytes.subarray(position, position + length)
    },
    async *stream() {
      yield bytes
    },
  }
}

export type RangeServer = {
  url: string
  requests: Array<{ range: string | undefined }>
  /** From now on every request gets this status; 0 is normal again. */
  failWith(status: number): void
  close(): Promise<void>
}

/** Serves one file on 127.0.0.1 with Range, at a URL that looks signed. */
export async function serveFile(path: string): Promise<RangeServer> {
  const bytes = await readFile(path)
  const requests: RangeServer['requests'] = []
  let status = 0
  const server = createServer((request, response) => {
    requests.push({ range: request.headers.range })
    if (status !== 0) {
      response.writeHead(status).end()
      return
    }
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const start = Number(match?.[1] ?? 0)
    const end = match?.[2] ? Math.min(Number(match[2]), bytes.length - 1) : bytes.length - 1
    response.writeHead(match ? 206 : 200, {
      'Accept-Ranges': 'bytes',
      'Content-Length': end - start + 1,
      ...(match && { 'Content-Range': `bytes ${start}-${end}/${bytes.length}` }),
    })
    response.end(bytes.subarray(start, end + 1))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/object?X-Amz-Signature=verysecret`,
    requests,
    failWith(next) {
      status = next
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
