// A virus scanner that speaks clamd's protocol and finds what a test wants.

import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

export type Daemon = { path: string; received: () => Buffer; close(): Promise<void> }

/** Reads one INSTREAM and answers; `maxBytes` answers early, as clamd does over its limit. */
export async function daemon(
  dir: string,
  answer: (bytes: Buffer) => string,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Daemon> {
  let received: Buffer = Buffer.alloc(0)
  const serve = (socket: Socket) => {
    let raw: Buffer = Buffer.alloc(0)
    socket.on('error', () => undefined) // the client may cut the line first
    socket.on('data', (chunk: Buffer) => {
      raw = Buffer.concat([raw, chunk])
      if (raw.length > maxBytes) socket.end('INSTREAM size limit exceeded. ERROR\0')
      const stream = unpack(raw)
      if (stream === undefined) return
      received = stream
      socket.end(`${answer(stream)}\0`)
    })
  }
  const path = join(dir, `clamd-${Math.random().toString(36).slice(2)}.sock`)
  const server: Server = createServer(serve)
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  return {
    path,
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

/** The bytes of a stream that has come to its end. */
function unpack(raw: Buffer): Buffer | undefined {
  const command = 'zINSTREAM\0'
  if (raw.length < command.length || raw.toString('latin1', 0, command.length) !== command) return undefined
  const pieces: Buffer[] = []
  for (let at = command.length; at + 4 <= raw.length; ) {
    const length = raw.readUInt32BE(at)
    if (length === 0) return Buffer.concat(pieces)
    pieces.push(raw.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return undefined
}
