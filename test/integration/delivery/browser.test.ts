// What a real browser does with a link: plays it, seeks in it, shows it, and runs nothing of it.

import { readFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mediaRoute } from '../../../src/delivery/media-route.ts'
import { type MediaClaims, signMediaToken } from '../../../src/delivery/media-token.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { appWithProblems, listen } from '../../support/app.ts'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { draftFor, SECRETS } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson } from '../../support/media/videos.ts'
import { NO_REVOCATIONS } from '../../support/revocations.ts'

describe.skipIf(!chromiumAvailable())('a browser', () => {
  let stack: Environment
  let corpus: Corpus
  let browser: Browser
  let url: string
  const ranges: string[] = []
  const app = appWithProblems()

  beforeAll(async () => {
    stack = await openEnvironment({ listens: false })
    corpus = await createCorpus()
    app.addHook('onRequest', async (request) => {
      if (request.headers.range !== undefined) ranges.push(request.headers.range)
    })
    await app.register(mediaRoute, {
      store: stack.deps.store,
      uploads: stack.deps.uploads,
      secrets: SECRETS,
      clock: stack.clock,
      revocations: NO_REVOCATIONS,
    })
    app.get('/page', async (request, reply) => {
      const { src } = request.query as { src: string }
      return reply.type('text/html').send(`<video id="v" preload="auto" muted src="${src}"></video>`)
    })
    url = await listen(app)
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser.close()
    await app.close()
    await corpus.remove()
    await stack.close()
  })

  async function linkTo(body: Buffer, claims: Partial<MediaClaims>): Promise<string> {
    const { id } = draftFor('S-1')
    const key = objectKeys.data(id)
    await stack.deps.store.createIfAbsent(key, body)
    const token = signMediaToken(
      {
        uploadId: id,
        name: 'original',
        key,
        bytes: body.length,
        download: false,
        session: null,
        contentType: 'video/mp4',
        fileName: 'การสอน.mp4',
        expiresAtSeconds: Math.floor(Date.now() / 1000) + 600,
        ...claims,
      },
      SECRETS,
    )
    return `/media/${token}/x`
  }

  it('plays a film on a page and seeks in it, and plays it in a tab of its own', async () => {
    const film = await readFile(await lesson(corpus))
    const link = await linkTo(film, {})
    const page = await browser.newPage()
    await page.goto(`${url}/page?src=${encodeURIComponent(link)}`)
    const state = (seek: number) =>
      page.evaluate(`(async () => {
        const video = document.querySelector('video')
        if (video.readyState < 2) await new Promise((r) => video.addEventListener('canplay', r, { once: true }))
        const seeked = new Promise((r) => video.addEventListener('seeked', r, { once: true }))
        video.currentTime = ${seek}
        await seeked
        return { at: video.currentTime, error: video.error }
      })()`)
    expect(await state(1)).toEqual({ at: 1, error: null })
    expect(ranges[0]).toBe('bytes=0-')
    const tab = await browser.newPage()
    const violations: string[] = []
    tab.on('console', (message) => violations.push(message.text()))
    await tab.goto(url + link)
    await waitFor(async () => Number(await tab.evaluate(`document.querySelector('video').readyState`)) >= 2)
    expect(violations).toEqual([])
  })

  it('saves an unknown type under its Thai name, and does not execute it', async () => {
    const html = Buffer.from('<script>document.title = "ran"</script>')
    const link = await linkTo(html, {
      contentType: 'application/octet-stream',
      fileName: 'แผนการสอน.html',
      download: true,
    })
    const page = await browser.newPage()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.goto(url + link).catch(() => undefined), // a download ends the navigation
    ])
    expect(download.suggestedFilename()).toBe('แผนการสอน.html')
    expect(await page.title()).toBe('')
  })

  it('runs no script, even of an uploaded HTML page', async () => {
    const page = await browser.newPage()
    const html = Buffer.from('<!doctype html><p>seen</p><script>document.title = "ran"</script>')
    await page.goto(url + (await linkTo(html, { contentType: 'text/html' })))
    expect(await page.textContent('p')).toBe('seen')
    expect(await page.title()).toBe('')
  })
})
