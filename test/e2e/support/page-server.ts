// A web server of somebody else's than the service: an origin of its own, with one page and the tus client that it loads.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')

const FILES: Record<string, { path: string; type: string }> = {
  '/': { path: join(import.meta.dirname, 'upload-page.html'), type: 'text/html; charset=utf-8' },
  '/tus.min.js': {
    path: join(ROOT, 'node_modules/tus-js-client/dist/tus.min.js'),
    type: 'text/javascript; charset=utf-8',
  },
}

export type PageServer = { origin: string; close(): Promise<void> }

/** Serves the page on a free port of 127.0.0.1. */
export async function startPageServer(): Promise<PageServer> {
  const server = createServer((request, response) => {
    const file = FILES[request.url ?? '']
    if (file === undefined) {
      response.writeHead(404).end()
      return
    }
    readFile(file.path).then(
      (bytes) => response.writeHead(200, { 'Content-Type': file.type }).end(bytes),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
