// Uppy in a real browser, with its own queue, retries and idea of being offline: a pulled cable in the middle of a file,
// then a service that is killed and comes back. Nothing may begin again at byte 0.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable, startChromium } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { type Corpus, createCorpus } from '../support/media/corpus.ts'
import { lesson } from '../support/media/videos.ts'
import { type Installation, startInstallation } from './support/installation.ts'

const SLOW_BYTES_PER_SECOND = 100_000

/** As a portal would write it: the long retryDelays of the integration guide, one ticket in the header. */
const PAGE_SCRIPT = `
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'
const { endpoint, ticket } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const uppy = new Uppy({ autoProceed: true }).use(Tus, {
  endpoint,
  headers: { Authorization: 'Bearer ' + ticket },
  retryDelays: [0, 500, 1000, 2000, 3000, 5000, 5000, 5000, 10000, 10000],
})
uppy.on('upload-success', () => { document.body.dataset.sent = 'whole' })
uppy.on('upload-error', (_, error) => { document.body.dataset.failed = error.message })
document.querySelector('#file').addEventListener('change', ({ target }) => {
  for (const file of target.files) uppy.addFile({ name: file.name, type: file.type, data: file })
})
`

describe.skipIf(!chromiumAvailable())('Uppy', () => {
  let stack: Installation
  let corpus: Corpus
  let browser: Browser
  let pages: Server
  let origin: string
  let film: string

  beforeAll(async () => {
    const resolveDir = join(import.meta.dirname, '../..')
    const stdin = { contents: PAGE_SCRIPT, resolveDir }
    const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'iife' })
    const script = outputFiles[0]?.text ?? ''
    pages = createServer((request, response) => {
      const isScript = request.url === '/page.js'
      response.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' })
      response.end(
        isScript ? script : '<!doctype html><body><input type="file" id="file"><script src="/page.js"></script>',
      )
    })
    await new Promise<void>((resolve) => {
      pages.listen(0, '127.0.0.1', resolve)
    })
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
    corpus = await createCorpus()
    stack = await startInstallation({ env: { CORS_ORIGINS: origin } })
    film = await lesson(corpus, { seconds: 12, size: '640x360' })
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
    pages?.closeAllConnections()
    pages?.close()
    await corpus?.remove()
  })

  const receivedBytes = async (): Promise<number> => {
    const text = await (await fetch(`${stack.service.opsUrl}/metrics`)).text()
    return Number(/^\w*upload_bytes_received_total (\d+)$/m.exec(text)?.[1])
  }

  async function sendSlowly() {
    const submission = await stack.submission()
    const { ticket } = await stack.portal.ticket(submission, 'teaching_video')
    const page = await browser.newPage()
    const requests: { method: string; offset: string | undefined }[] = []
    page.on('request', (request) => {
      if (request.url().startsWith(`${stack.service.url}/files`))
        requests.push({ method: request.method(), offset: request.headers()['upload-offset'] })
    })
    const network = await page.context().newCDPSession(page)
    await throttle(network, { uploadThroughput: SLOW_BYTES_PER_SECOND })
    const before = await receivedBytes()
    const endpoint = `${stack.service.url}/files`
    await page.goto(`${origin}/#${new URLSearchParams({ endpoint, ticket })}`)
    await page.setInputFiles('#file', film)
    const { size } = await stat(film)
    const isUnderWay = async () => (await receivedBytes()) - before > size / 4
    await waitFor(isUnderWay, { what: 'a quarter of the file to be there' })
    return { submission, page, network, requests, size, before }
  }

  const throttle = (network: CDPSession, conditions: { offline?: boolean; uploadThroughput?: number }) =>
    network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
      ...conditions,
    })

  async function arrives(page: Page, submission: string): Promise<void> {
    const said = () => page.evaluate('({ ...document.body.dataset })') as Promise<Record<string, string>>
    await waitFor(async () => (await said())['sent'] ?? (await said())['failed'], {
      what: 'Uppy to say how it went',
    })
    expect(await said()).toEqual({ sent: 'whole' })
    const hashed = async () => (await stack.portal.uploads(submission))[0]?.sha256 ?? undefined
    const sha256 = await waitFor(hashed, { what: 'the file to be inspected' })
    expect(sha256).toBe(
      createHash('sha256')
        .update(await readFile(film))
        .digest('hex'),
    )
    await page.close()
  }

  const restarts = (requests: { method: string; offset: string | undefined }[]) => ({
    creations: requests.filter(({ method }) => method === 'POST').length,
    fromZero: requests.filter(({ method, offset }) => method === 'PATCH' && offset === '0').length,
  })

  test('goes on where it was when the line comes back', async () => {
    const { submission, page, network, requests, size, before } = await sendSlowly()
    await throttle(network, { offline: true })
    await waitFor(() => page.evaluate('!navigator.onLine'), { what: 'the page to be offline' })
    await throttle(network, {})
    await arrives(page, submission)
    expect(restarts(requests)).toEqual({ creations: 1, fromZero: 1 })
    expect((await receivedBytes()) - before).toBeLessThanOrEqual(size * 1.1)
  })

  test('goes on where it was when the service was killed and is back', async () => {
    const { submission, page, network, requests } = await sendSlowly()
    await stack.service.kill('SIGKILL')
    await stack.service.restart()
    await stack.service.ready()
    await throttle(network, {})
    await arrives(page, submission)
    const { creations, fromZero } = restarts(requests)
    expect(creations).toBe(1)
    expect(fromZero).toBe(1)
  })
})
