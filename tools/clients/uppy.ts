// Uppy in a headless Chromium, as a portal's page uses it: its own queue and retries, on top of tus-js-client.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { chromiumAvailable, startChromium } from '../../test/support/chromium.ts'
import { waitFor } from '../../test/support/http.ts'
import { type Client, NotInstalled, type Task } from './model.ts'
import { installedVersion, ROOT } from './packages.ts'

const PAGE_SCRIPT = `
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'
const { endpoint, chunk } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const uppy = new Uppy({ autoProceed: true }).use(Tus, {
  endpoint,
  chunkSize: Number(chunk) || Infinity,
  retryDelays: [0, 200, 500, 1000, 2000, 3000, 5000, 5000],
})
uppy.on('upload-success', (_, { uploadURL }) => { document.body.dataset.url = uploadURL })
uppy.on('upload-error', (_, error) => { document.body.dataset.failed = error.message })
document.querySelector('#file').addEventListener('change', ({ target }) => {
  for (const file of target.files) uppy.addFile({ name: file.name, type: file.type, data: file })
})
`
const PAGE = '<!doctype html><body><input type="file" id="file"><script src="/page.js"></script>'

export const uppy: Client = {
  name: 'Uppy',
  version: `${installedVersion('@uppy/core')} (@uppy/tus ${installedVersion('@uppy/tus')})`,
  async prepare() {
    if (!chromiumAvailable()) throw new NotInstalled('chromium: it is not installed')
    const stdin = { contents: PAGE_SCRIPT, resolveDir: ROOT }
    const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'iife' })
    const script = outputFiles[0]?.text ?? ''
    return [
      { name: 'one PATCH', ends: 'stored', send: (task) => send(task, script, '') },
      { name: 'in chunks of 1 MiB', ends: 'stored', send: (task) => send(task, script, String(1024 ** 2)) },
    ]
  },
}

async function send({ endpoint, path }: Task, script: string, chunk: string): Promise<string> {
  const pages = createServer(({ url }, response) => {
    const isScript = url === '/page.js'
    response.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' })
    response.end(isScript ? script : PAGE)
  })
  await new Promise<void>((resolve) => {
    pages.listen(0, '127.0.0.1', resolve)
  })
  const browser = await startChromium()
  try {
    const page = await browser.newPage()
    const { port } = pages.address() as AddressInfo
    await page.goto(`http://127.0.0.1:${port}/#${new URLSearchParams({ endpoint, chunk })}`)
    await page.setInputFiles('#file', path)
    const result = () => page.evaluate('({ ...document.body.dataset })') as Promise<{ url?: string; failed?: string }>
    const { url, failed } = await waitFor(
      async () => {
        const found = await result()
        return (found.url ?? found.failed) !== undefined && found
      },
      { what: 'the result of Uppy' },
    )
    if (url === undefined) throw new Error(failed)
    return url
  } finally {
    await browser.close()
    pages.closeAllConnections()
    pages.close()
  }
}
