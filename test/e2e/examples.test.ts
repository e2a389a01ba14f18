// The examples, as somebody runs them who has just read about them: by their command, beside a service, with a browser. A file is
// chosen and accepted, and the portal has verified what it was told.

import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Child, startChild } from '../support/children.ts'
import { chromiumAvailable, startChromium } from '../support/chromium.ts'
import { freePort, PATIENCE_MS, waitFor } from '../support/http.ts'
import { type Corpus, createCorpus } from '../support/media/corpus.ts'
import { pdf } from '../support/media/pdfs.ts'
import { API_KEY, type Installation, startInstallation } from './support/installation.ts'

const ROOT = join(import.meta.dirname, '../..')
const WEBHOOK_SECRET = `whsec_${Buffer.from('a webhook secret of thirty-two by').toString('base64')}`
const SLOT = 'lesson_plan'
const SLOW_BYTES_PER_SECOND = 200_000
/** Chromium holds slow bytes back, and lets go of them when the page is left: up to four megabytes were seen to get through. */
const LARGE_BYTES = 16_000_000
const BEGUN_BYTES = 500_000
const MOST_LINES = 60

const readme = await readFile(join(ROOT, 'examples/README.md'), 'utf8')
/** Folder → what the README says to type. */
const COMMANDS = new Map(
  [...readme.matchAll(/^\| \[([\w-]+)\].*?\| `([^`]+)` \|/gm)].map(([, name = '', line = '']) => [name, line]),
)

describe.skipIf(!chromiumAvailable())('examples', () => {
  let port: number
  let origin: string
  let stack: Installation
  let corpus: Corpus
  let browser: Browser
  let plan: string
  let example: Child | undefined
  let page: Page | undefined

  beforeAll(async () => {
    port = await freePort()
    origin = `http://127.0.0.1:${port}`
    corpus = await createCorpus()
    const env = { CORS_ORIGINS: origin, WEBHOOK_SECRET, WEBHOOK_ALLOW_HOSTS: '127.0.0.1' }
    ;[stack, browser, plan] = await Promise.all([
      startInstallation({ env }),
      startChromium(),
      pdf(corpus, 'แผนการสอน.pdf', { pages: 2 }),
    ])
  })
  afterEach(async () => {
    await page?.close()
    await example?.stop()
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
    await corpus?.remove()
  })

  /** Types the command, and opens the address that it prints. */
  async function open(name: string): Promise<Page> {
    const [program = '', ...args] = (COMMANDS.get(name) ?? '').split(' ')
    const env = {
      SONGNGAN_URL: stack.service.url,
      API_KEY,
      WEBHOOK_SECRET,
      PORTAL_PORT: String(port),
      no_proxy: '127.0.0.1',
    }
    const started = await startChild(program, args, { cwd: ROOT, env })
    example = started
    await waitFor(() => !started.running() || started.output().includes(`Portal at ${origin}`), { what: name })
    if (!started.running()) throw new Error(`${name} ended:\n${started.output()}`)
    page = await browser.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await page.goto(origin)
    return page
  }

  /** What it printed: the id of its submission, once it has verified that the file was accepted. */
  const accepted = () =>
    waitFor(() => new RegExp(`^verified: upload.accepted (\\S+) ${SLOT}$`, 'm').exec(example?.output() ?? '')?.[1], {
      what: 'the webhook of the verdict',
    })

  /** What anybody could send is answered with 401 and printed nowhere as verified. */
  async function refusesForged(): Promise<void> {
    const headers = {
      'Content-Type': 'application/json',
      'webhook-id': 'evt_forged',
      'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
      'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
    }
    const body = JSON.stringify({ id: 'evt_forged', type: 'upload.forged', data: { submissionId: 'forged' } })
    expect((await fetch(`${origin}/webhooks/songngan`, { method: 'POST', headers, body })).status).toBe(401)
    expect(example?.output()).not.toContain('upload.forged')
  }

  async function endsAccepted(): Promise<void> {
    const [upload, ...others] = await stack.portal.uploads(await accepted())
    expect(others).toEqual([])
    expect(upload).toMatchObject({ slot: SLOT, accepted: true })
    await refusesForged()
  }

  test.each(['portal-fastify', 'portal-python'])('%s: the whole submission in the element', async (name) => {
    const opened = await open(name)
    const card = opened.locator(`#slot-${SLOT}`)
    await card.locator('input[type=file]').first().setInputFiles(plan)
    await card
      .getByText(/^ไฟล์ใช้ได้/)
      .first()
      .waitFor()
    await endsAccepted()
  })

  test('portal-plain-html: one slot in the element, and the page around it is told', async () => {
    const opened = await open('portal-plain-html')
    await opened.locator('songngan-upload input[type=file]').first().setInputFiles(plan)
    await opened.getByText('Go on with the next step').waitFor()
    expect(await opened.locator('songngan-upload .card').count()).toBe(1)
    await endsAccepted()
  })

  const receivedBytes = async (): Promise<number> => {
    const text = await (await fetch(`${stack.service.opsUrl}/metrics`)).text()
    return Number(/^\w*upload_bytes_received_total (\d+)$/m.exec(text)?.[1])
  }

  test.each(['tus-js-client', 'uppy'])('%s: goes on after a reload, also when a proxy answers 502', async (name) => {
    const large = await pdf(corpus, 'large.pdf', { catalog: `/Remark (${'x'.repeat(LARGE_BYTES)})` })
    const opened = await open(name)
    const requests: { method: string; offset: string | undefined }[] = []
    opened.on('request', (request) => {
      if (!new URL(request.url()).pathname.startsWith('/files')) return
      requests.push({ method: request.method(), offset: request.headers()['upload-offset'] })
    })
    const network = await opened.context().newCDPSession(opened)
    const line = (uploadThroughput: number) =>
      network.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      })
    await line(SLOW_BYTES_PER_SECOND)
    const before = await receivedBytes()
    await opened.locator('input:enabled').setInputFiles(large)
    await waitFor(async () => (await receivedBytes()) - before > BEGUN_BYTES, { what: 'some of the file' })

    let proxyAnswers = 0
    await opened.route(`${stack.service.url}/files/*`, async (route) => {
      if (route.request().method() !== 'HEAD' || proxyAnswers > 0) return await route.continue()
      proxyAnswers += 1
      await route.fulfill({ status: 502, headers: { 'Access-Control-Allow-Origin': origin } })
    })
    await opened.reload()
    await line(-1)
    await opened.locator('input:enabled').setInputFiles(large)
    await opened.getByText('ไฟล์ใช้ได้').waitFor()
    await endsAccepted()
    expect(proxyAnswers).toBe(1)
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
    expect(requests.filter(({ method, offset }) => method === 'PATCH' && offset === '0')).toHaveLength(1)
  })
})

test('each is sixty lines at most, and has its command in the README', async () => {
  const mains = [...readme.matchAll(/^\| \[[\w-]+\]\(([^)]+)\)/gm)].map(([, path = '']) => path)
  expect(mains.map(dirname).sort()).toEqual([...COMMANDS.keys()].sort())
  for (const path of mains) {
    const lines = (await readFile(join(ROOT, 'examples', path), 'utf8')).split('\n')
    expect(lines.filter((line) => line.trim() !== '').length, path).toBeLessThanOrEqual(MOST_LINES)
  }
})
