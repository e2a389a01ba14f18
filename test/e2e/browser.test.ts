// A page of a portal in a real browser, on another origin than the service: tus-js-client as browsers load it, a reload in the
// middle of a file, a verdict by server-sent events, the film at the end, and another origin that gets none of it.

import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable, startChromium } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { type Corpus, createCorpus } from '../support/media/corpus.ts'
import { lesson } from '../support/media/videos.ts'
import { type Installation, startInstallation } from './support/installation.ts'
import { type PageServer, startPageServer } from './support/page-server.ts'

const SLOT = 'teaching_video'
/** Slow enough that the page can be reloaded in the middle of the file. */
const SLOW_BYTES_PER_SECOND = 100_000
/** How the page looks at its end, for people. */
const SCREENSHOT = join(tmpdir(), 'songngan-upload-page.png')

describe.skipIf(!chromiumAvailable())('a page of the portal', () => {
  let home: PageServer
  let foreign: PageServer
  let stack: Installation
  let corpus: Corpus
  let browser: Browser
  let submission: string
  let fragment: string
  let film: string

  beforeAll(async () => {
    corpus = await createCorpus()
    home = await startPageServer()
    foreign = await startPageServer()
    stack = await startInstallation({ env: { CORS_ORIGINS: home.origin } })
    film = await lesson(corpus, { seconds: 12, size: '640x360' })
    browser = await startChromium()
    submission = await stack.submission()
    const answer = await stack.call('POST', `/v1/submissions/${submission}/sessions`, {
      can: ['read', 'upload'],
    })
    const { token } = JSON.parse(answer.text) as { token: string }
    fragment = `#${new URLSearchParams({ api: stack.service.url, session: token, submission, slot: SLOT })}`
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
    await Promise.all([home?.close(), foreign?.close()])
    await corpus?.remove()
  })

  /** What the page says of itself. */
  const said = async (page: Page) => (await page.evaluate('({ ...document.body.dataset })')) as Record<string, string>

  const receivedBytes = async (): Promise<number> => {
    const text = await (await fetch(`${stack.service.opsUrl}/metrics`)).text()
    return Number(/^\w*upload_bytes_received_total (\d+)$/m.exec(text)?.[1])
  }

  test('is reloaded in the middle of a file, goes on where it was, and shows the verdict and the film', async () => {
    const { size } = await stat(film)
    const page = await browser.newPage({ viewport: { width: 900, height: 900 } })
    const requests: string[] = []
    const offsets: number[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(`${stack.service.url}/files`)) return
      requests.push(request.method())
      if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']))
    })
    const network = await page.context().newCDPSession(page)
    const throttle = (uploadThroughput: number) =>
      network.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      })
    await throttle(SLOW_BYTES_PER_SECOND)
    const before = await receivedBytes()

    await page.goto(`${home.origin}/${fragment}`)
    await page.setInputFiles('#file', film)
    const isUnderWay = async () => (await receivedBytes()) - before > size / 4
    await waitFor(isUnderWay, { what: 'a quarter of the file to be there' })
    await page.reload()
    expect(requests).toEqual(['POST', 'PATCH'])
    expect(await said(page)).not.toHaveProperty('sent')

    await throttle(-1)
    await page.setInputFiles('#file', film)
    await waitFor(async () => (await said(page))['verdict'], {
      what: 'the verdict on the page',
    })
    expect(await said(page)).toEqual({ events: 'open', sent: 'whole', verdict: 'upload.accepted' })
    expect(await page.textContent('#verdict')).toBe('รับไฟล์แล้ว')
    const [upload, ...others] = await stack.portal.uploads(submission)
    expect(others).toEqual([])
    expect(await page.locator('#problems li').allTextContents()).toEqual(
      upload?.problems.map(({ message }) => message.th),
    )

    // One creation, one question, and nothing sent twice.
    expect(requests).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH'])
    expect(offsets[0]).toBe(0)
    expect(offsets[1]).toBeGreaterThan(size / 4)
    expect(offsets[1]).toBeLessThan(size)
    const counted = (await receivedBytes()) - before
    expect(counted).toBeGreaterThanOrEqual(size)
    expect(counted).toBeLessThanOrEqual(size * 1.1)

    const canPlay = `document.querySelector('video').readyState >= 2`
    await waitFor(() => page.evaluate(canPlay), { what: 'the film to be there' })
    const sought = await page.evaluate(`new Promise((shown) => {
      const film = document.querySelector('video')
      film.requestVideoFrameCallback((_, { mediaTime }) => requestAnimationFrame(() => shown(mediaTime)))
      film.currentTime = 6
    })`)
    expect(sought).toBeCloseTo(6, 0)
    await page.screenshot({ path: SCREENSHOT })
    await page.close()
  })

  test('of another origin is refused by the browser, and nothing is made', async () => {
    const uploads = await stack.portal.uploads(submission)
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(`${foreign.origin}/${fragment}`)
    await page.setInputFiles('#file', film)
    await waitFor(async () => (await said(page))['error'], { what: 'the page to be refused' })
    expect(await said(page)).toEqual({ events: 'refused', error: 'TypeError: Failed to fetch' })
    expect(complaints.filter((text) => text.includes('blocked by CORS policy')).length).toBeGreaterThan(0)
    await page.close()
    expect(await stack.portal.uploads(submission)).toEqual(uploads)
  })

  test('may read refusals too, and preflights need no credentials; another origin’s are not answered so', async () => {
    const { url } = stack.service
    const ask = async (origin: string, method: string, path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, { method, headers: { Origin: origin, ...headers } })
      await response.arrayBuffer()
      return { status: response.status, allowed: response.headers.get('access-control-allow-origin') }
    }
    const preflight = {
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'upload-offset',
    }
    const paths = ['/files', '/files/x', `/v1/submissions/${submission}`, '/v1/nowhere', '/media/x/y']
    for (const path of paths) {
      expect(await ask(home.origin, 'OPTIONS', path, preflight)).toEqual({
        status: 204,
        allowed: home.origin,
      })
      const refused = await ask(home.origin, 'GET', path)
      expect(refused).toMatchObject({ allowed: home.origin })
      expect(refused.status).toBeGreaterThanOrEqual(400)
      for (const method of ['OPTIONS', 'GET', 'POST', 'PATCH'])
        expect(await ask(foreign.origin, method, path, method === 'OPTIONS' ? preflight : {})).toMatchObject({
          allowed: null,
        })
    }
  })
})
