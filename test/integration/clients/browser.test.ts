// The client in a real browser: a portal's page, of another origin than the service, imports it from there and calls.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appWithProblems, listen } from '../../support/app.ts'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'

type Listed = { name: string; module: { url: string; integrity: string } }

describe.skipIf(!chromiumAvailable())('a page of a portal', () => {
  const portal = appWithProblems()
  let stack: Environment
  let browser: Browser
  let origin: string

  beforeAll(async () => {
    portal.get('/', async (_, reply) => reply.type('text/html').send('<!doctype html><title>portal</title>'))
    origin = await listen(portal)
    stack = await openEnvironment({ env: { CORS_ORIGINS: origin } })
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser.close()
    await portal.close()
    await stack.close()
  })

  it('imports the newest version, reads a submission with a session, and follows its events', async () => {
    const id = await stack.submission()
    const token = await stack.session(id, { can: ['read'] })
    const page = await browser.newPage()
    await page.goto(origin)
    const seen = await page.evaluate(
      `(async () => {
        const { Songngan } = await import('${stack.url}/client/0.1/client.js')
        const songngan = new Songngan({ url: '${stack.url}', token: '${token}' })
        const { missing } = await songngan.submissions.get('${id}')
        const refused = await songngan.submissions.seal('${id}').catch(({ code, status, texts }) => [code, status, texts.th])
        const types = []
        globalThis.following = (async () => {
          for await (const { type } of songngan.events('${id}')) {
            types.push(type)
            if (type === 'submission.complete') return types.filter((one) => one !== 'progress')
          }
        })()
        while (types.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
        return { missing, refused }
      })()`,
    )
    expect(seen).toEqual({ missing: ['plan'], refused: ['SESSION_SCOPE', 403, expect.stringMatching(/[ก-๙]/)] })
    await stack.acceptedUpload(id, 'plan')
    expect(await page.evaluate('globalThis.following')).toEqual([
      'snapshot',
      'upload.created',
      'upload.stored',
      'upload.accepted',
      'submission.complete',
    ])
    await page.close()
  })

  it('may pin a version by its hash; a file that is another is not run', async () => {
    const { packages } = (await (await fetch(`${stack.url}/client`)).json()) as { packages: Listed[] }
    const { url, integrity } = packages.find(({ name }) => name === '@songngan/client')?.module ?? {}
    const page = await browser.newPage()
    await page.goto(origin)
    const loads = (hash: string | undefined) =>
      page.evaluate(
        `new Promise((resolve) => {
          const script = Object.assign(document.createElement('script'), {
            type: 'module', src: '${url}', crossOrigin: 'anonymous', integrity: '${hash}',
            onload: () => resolve('loaded'), onerror: () => resolve('refused'),
          })
          document.head.append(script)
        })`,
      )
    expect(await loads(integrity?.replace(/.{8}$/, 'AAAAAAAA'))).toBe('refused')
    expect(await loads(integrity)).toBe('loaded')
    await page.close()
  })
})
