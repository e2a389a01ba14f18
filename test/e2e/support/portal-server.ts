// A portal of somebody else's: an origin of its own, pages with the element as the service serves it, and a policy that allows them
// nothing more than it needs.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const EXAMPLE = join(import.meta.dirname, 'element-page.html')

export type PortalServer = Awaited<ReturnType<typeof startPortalServer>>

/** On a free port of 127.0.0.1. */
export async function startPortalServer() {
  const files = new Map<string, string>([['/empty', '<!doctype html><link rel="icon" href="data:,">']])
  let service = ''
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const text = files.get(path)
    if (text === undefined) {
      response.writeHead(404).end()
      return
    }
    const policy = [
      "default-src 'none'",
      `script-src ${service}`,
      `style-src 'self' ${service}`,
      `connect-src ${service}`,
      `img-src ${service} data:`,
      `media-src ${service} blob:`,
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]
    const type = path.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/html; charset=utf-8'
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy.join('; ') }).end(text)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const example = await readFile(EXAMPLE, 'utf8')
  let pages = 0

  return {
    origin,
    /** A page of this origin without anything. */
    empty: `${origin}/empty`,
    /** Where the service is, once it is known. */
    to(url: string): void {
      service = url
    },
    /** The address of the example with this token; with `elements` in place of its one, and `styles` of the portal beside it. */
    page(token: string, { elements = '', styles = '' } = {}): string {
      const name = `/page-${++pages}`
      const html = example
        .replace(/<songngan-upload.*/, (one) => elements || one)
        .replace('</html>', `<link rel="stylesheet" href="${name}.css"></html>`)
        .replaceAll('__SERVICE__', service)
        .replaceAll('__TOKEN__', token)
      files.set(name, html)
      files.set(`${name}.css`, styles)
      return origin + name
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
