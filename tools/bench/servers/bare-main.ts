// Bare node:http: a body piped into a file, with just enough of tus for the same requests. No lock, no record, nothing
// durable: the cost of the platform itself.
//   node bare-main.js PORT DIRECTORY

import { createWriteStream } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const [port, directory] = process.argv.slice(2)
if (port === undefined || directory === undefined) throw new Error('usage: bare-main PORT DIRECTORY')

const offsets = new Map<string, number>()
let made = 0

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  const { method, url = '' } = request
  const path = method === 'POST' ? `/files/${++made}` : url
  const offset = offsets.get(path) ?? 0
  const receive = async () => {
    const file = createWriteStream(join(directory, path.replace('/files/', '')), { flags: 'a' })
    await pipeline(request, file)
    offsets.set(path, offset + file.bytesWritten)
  }
  const answer = (status: number) => {
    response.writeHead(status, { 'Upload-Offset': offsets.get(path) ?? 0, Location: path })
    response.end()
  }
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0
  const work = hasBody ? receive() : Promise.resolve()
  work.then(
    () => answer(method === 'POST' ? 201 : method === 'HEAD' ? 200 : 204),
    // The client disconnected: there is no response to send.
    () => response.destroy(),
  )
})
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
