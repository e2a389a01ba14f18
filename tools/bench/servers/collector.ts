// Takes traces and keeps none, in the bench's own process: its CPU time is not the server's.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** @returns the address of a collector, which ends with this process */
export async function startCollector(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
