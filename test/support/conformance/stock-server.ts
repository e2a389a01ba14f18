// Stock @tus/server with @tus/file-store on a free loopback port, to compare with:
//   npx tsx test/support/conformance/stock-server.ts DIRECTORY [PORT] [MAX_BYTES] [EXPIRY_MS]
// Prints the creation URL; ends on SIGINT or SIGTERM.
import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [directory, port = '0', maxBytes, expiryMs] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: stock-server.ts DIRECTORY [PORT] [MAX_BYTES] [EXPIRY_MS]')

const datastore = new FileStore({
  directory,
  ...(expiryMs === undefined ? {} : { expirationPeriodInMilliseconds: Number(expiryMs) }),
})
const tus = new Server({
  path: '/files',
  datastore,
  ...(maxBytes === undefined || maxBytes === '0' ? {} : { maxSize: Number(maxBytes) }),
})
// @tus/server's handle() settles only when the answer was sent, which a vanished client prevents.
const http = createServer((request, response) => void tus.handle(request, response))
http.listen(Number(port), '127.0.0.1', () => {
  const address = http.address()
  if (address !== null && typeof address === 'object') {
    process.stdout.write(`http://127.0.0.1:${address.port}/files\n`)
  }
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))
