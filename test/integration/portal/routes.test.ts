// The page as it is served: its policy, how long its assets may be kept, and that they are all there.

import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { useHttpErrors } from '../../../src/http/errors.ts'
import { portalRoutes } from '../../../src/portal/routes.ts'

async function appWith(env: Record<string, string> = {}): Promise<FastifyInstance> {
  const config = loadConfig({
    REDIS_URL: 'redis://127.0.0.1',
    TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
    ...env,
  })
  const app = Fastify({ routerOptions: { ignoreTrailingSlash: true } })
  useHttpErrors(app)
  await portalRoutes(app, { config })
  return app
}

let app: FastifyInstance
let html: string
beforeAll(async () => {
  app = await appWith()
  html = (await app.inject('/portal')).body
})
afterAll(async () => await app.close())

const addresses = (text: string) => [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => `/${path}`)

describe('the page', () => {
  it('has a security policy with only what it needs', async () => {
    const { headers } = await app.inject('/portal')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'self';")
    expect(policy).not.toMatch(/unsafe|https?:/)
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      'content-type': 'text/html; charset=utf-8',
    })
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=|https?:/)
  })

  it('may be framed by the portals in CORS_ORIGINS, and calls the service by its public name', async () => {
    const other = await appWith({
      CORS_ORIGINS: 'https://portal.example',
      PUBLIC_URL: 'https://files.example/songngan',
    })
    const policy = String((await other.inject('/portal')).headers['content-security-policy'])
    expect(policy).toContain("frame-ancestors 'self' https://portal.example;")
    expect(policy).toContain("connect-src 'self' https://files.example;")
    const open = await appWith({ CORS_ORIGINS: '*' })
    expect((await open.inject('/portal')).headers['content-security-policy']).toContain("frame-ancestors 'self';")
    await Promise.all([other.close(), open.close()])
  })

  it('is transferred again only after a change', async () => {
    const { etag } = (await app.inject('/portal')).headers
    const again = await app.inject({ url: '/portal', headers: { 'if-none-match': String(etag) } })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  it('has correct relative URLs with a trailing slash', async () => {
    const answer = await app.inject('/portal/')
    expect([answer.statusCode, answer.headers['location']]).toEqual([308, '../portal'])
  })
})

describe('the page that is switched off', () => {
  it('is not there, and none of its assets', async () => {
    const without = await appWith({ PORTAL_PAGE: 'false' })
    for (const path of ['/portal', ...addresses(html)]) {
      expect((await app.inject(path)).statusCode, path).toBe(200)
      const answer = await without.inject(path)
      expect(answer.statusCode, path).toBe(404)
      expect(answer.json()).toMatchObject({ code: 'NOT_FOUND' })
    }
    await without.close()
  })
})

describe('the check page', () => {
  it('is there for everybody, with the same policy, also where the page is switched off', async () => {
    for (const env of [{}, { PORTAL_PAGE: 'false' }] as Record<string, string>[]) {
      const checks = await appWith(env)
      const { statusCode, headers, body } = await checks.inject('/verify')
      expect(statusCode).toBe(200)
      expect(headers['content-security-policy']).toBe((await app.inject('/portal')).headers['content-security-policy'])
      expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=|https?:/)
      for (const path of addresses(body)) {
        const asset = await checks.inject(path)
        expect([asset.statusCode, asset.headers['cache-control']], path).toEqual([
          200,
          'public, max-age=31536000, immutable',
        ])
      }
      expect((await checks.inject('/verify/')).headers['location']).toBe('../verify')
      for (const other of ['main.js', 'style.css', 'x.js'])
        expect((await checks.inject(`/verify/x/${other}`)).json()).toMatchObject({ code: 'NOT_FOUND' })
      await checks.close()
    }
  })
})

describe('its assets', () => {
  it('are one script, one style sheet and an icon, with URLs that may be cached forever', async () => {
    const all = addresses(html)
    expect(all.map((path) => path.split('/').at(-1)).toSorted()).toEqual(['icon.svg', 'main.js', 'style.css'])
    for (const path of all) {
      const answer = await app.inject(path)
      expect(answer.statusCode, path).toBe(200)
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      // One round trip: nothing is loaded by what was loaded.
      expect(answer.body).not.toMatch(/\bimport\s*[("'{]|@import|sourceMappingURL/)
    }
  })

  it('are sent in the best encoding that the browser accepts', async () => {
    const script = addresses(html).find((path) => path.endsWith('/main.js')) ?? ''
    const get = (encoding: string) => app.inject({ url: script, headers: { 'accept-encoding': encoding } })
    const plain = await get('identity')
    expect(plain.headers['content-encoding']).toBeUndefined()
    const [brotli, zipped, refused] = [await get('gzip, deflate, br'), await get('gzip'), await get('br;q=0, gzip')]
    expect([brotli, zipped, refused].map(({ headers }) => headers['content-encoding'])).toEqual(['br', 'gzip', 'gzip'])
    expect(brotliDecompressSync(brotli.rawPayload).toString()).toBe(plain.body)
    expect(gunzipSync(zipped.rawPayload).toString()).toBe(plain.body)
    expect(brotli.headers['vary']).toBe('accept-encoding')
    expect(brotli.headers['content-type']).toMatch(/^(application|text)\/javascript; charset=utf-8$/i)
    expect(brotli.rawPayload.length).toBeLessThan(plain.body.length / 2)
  })

  it('of another release are served, but not cached', async () => {
    const answer = await app.inject('/portal/another-release/main.js')
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-cache'])
  })

  it.each(['/portal/x/nothing.js', '/portal/x/../../package.json', '/portal/x/index.html', '/portal/x/'])(
    'are nothing else: %s',
    async (path) => {
      const answer = await app.inject(path)
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toMatchObject({ code: 'NOT_FOUND' })
    },
  )
})
