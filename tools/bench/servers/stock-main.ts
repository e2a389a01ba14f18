// Stock: Fastify, @tus/server, and @tus/file-store or @tus/s3-store with their defaults, as in their documentation.
//   node stock-main.js PORT DIRECTORY [S3_ENDPOINT BUCKET REGION]

import { FileStore } from '@tus/file-store'
import { S3Store } from '@tus/s3-store'
import { Server } from '@tus/server'
import Fastify from 'fastify'

const PART_BYTES = 8 * 1024 * 1024

const [port, directory, endpoint, bucket, region] = process.argv.slice(2)
if (port === undefined || directory === undefined)
  throw new Error('usage: stock-main PORT DIRECTORY [S3_ENDPOINT BUCKET REGION]')

function datastore(folder: string) {
  if (endpoint === undefined || bucket === undefined || region === undefined)
    return new FileStore({ directory: folder })
  return new S3Store({
    partSize: PART_BYTES,
    s3ClientConfig: { bucket, region, endpoint, forcePathStyle: true },
  })
}

const tus = new Server({ path: '/files', datastore: datastore(directory) })
const app = Fastify()
app.addContentTypeParser('application/offset+octet-stream', (_request, _payload, done) => done(null))
for (const url of ['/files', '/files/*']) {
  app.all(url, (request, reply) => {
    reply.hijack()
    void tus.handle(request.raw, reply.raw)
  })
}
await app.listen({ host: '127.0.0.1', port: Number(port) })
process.once('SIGTERM', () => process.exit(0))
