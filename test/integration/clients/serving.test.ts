// The packages for portals as every service serves them: what there is, under addresses that never change.

import { createHash } from 'node:crypto'
import { brotliDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'

type File = { url: string; bytes: number; integrity: string }
type Listed = { name: string; version: string; newest: string; module: File; tarball: File; files: File[] }

const BASE = 'https://songngan.example'
const FOR_EVER = 'public, max-age=31536000, immutable'

let stack: StillEnvironment
let client: Listed
beforeAll(async () => {
  stack = await openStillEnvironment()
  client = (await list()).find(({ name }) => name === '@songngan/client') as Listed
})
afterAll(async () => await stack.close())

const get = (path: string, headers: Record<string, string> = {}) => stack.app.inject({ url: path, headers })
const list = async () => (await get('/client/')).json<{ packages: Listed[] }>().packages
const pathOf = ({ url }: { url: string }) => url.slice(BASE.length)

describe('/client', () => {
  it('lists the packages, with addresses, sizes and hashes that are true', async () => {
    expect(client.version).toMatch(/^\d+\.\d+\.\d+-b[0-9a-f]{10}$/)
    expect(client.module.url).toBe(`${BASE}/client/${client.version}/client.js`)
    expect(client.files.map(({ url }) => url)).toEqual(expect.arrayContaining([client.module.url, client.tarball.url]))
    for (const file of client.files) {
      const { statusCode, rawPayload } = await get(pathOf(file))
      expect([statusCode, rawPayload.length], file.url).toEqual([200, file.bytes])
      expect(`sha384-${createHash('sha384').update(rawPayload).digest('base64')}`).toBe(file.integrity)
    }
  })

  it('is named by the root of the API', async () => {
    expect((await get('/')).json()).toMatchObject({ client: `${BASE}/client` })
  })

  it('may be read by pages of every origin, as may the files', async () => {
    for (const path of ['/client', pathOf(client.module), '/client/0.1/client.js']) {
      const { headers } = await get(path, { origin: 'https://portal.example' })
      expect(headers, path).toMatchObject({
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
      })
    }
  })
})

describe('every package', () => {
  it('is listed with one module, a tarball and declarations', async () => {
    const all = await list()
    expect(all.map(({ name }) => name)).toEqual(['@songngan/client', '@songngan/upload-element'])
    for (const { module, tarball, files, newest } of all) {
      expect(files.map(({ url }) => url)).toEqual(
        expect.arrayContaining([module.url, module.url.replace(/js$/, 'd.ts'), tarball.url]),
      )
      expect((await get(pathOf({ url: newest }))).headers['location']).toContain('-b')
    }
  })
})

describe('the files of a version', () => {
  it('may be kept for ever, and have the types that browsers and people need', async () => {
    for (const [file, type] of [
      ['client.js', /^(text|application)\/javascript; charset=utf-8$/],
      ['client.d.ts', /^text\/plain; charset=utf-8$/],
      ['client.js.map', /^application\/json/],
      [pathOf(client.tarball).split('/').at(-1), /^application\/gzip$/],
    ] as const) {
      for (const encoding of ['identity', 'br']) {
        const { statusCode, headers } = await get(`/client/${client.version}/${file}`, { 'accept-encoding': encoding })
        expect([statusCode, headers['cache-control']], file).toEqual([200, FOR_EVER])
        expect(headers['content-type'], file).toMatch(type)
      }
    }
  })

  it('are sent compressed', async () => {
    const plain = await get(pathOf(client.module))
    const packed = await get(pathOf(client.module), { 'accept-encoding': 'gzip, br' })
    expect(packed.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' })
    expect(brotliDecompressSync(packed.rawPayload).equals(plain.rawPayload)).toBe(true)
    // What a portal's page adds to its own weight.
    expect(packed.rawPayload.length).toBeLessThan(8_000)
  })

  it('are nothing else', async () => {
    for (const path of [
      `/client/${client.version}/`,
      `/client/${client.version}/nothing.js`,
      `/client/${client.version}/../packages.json`,
      `/client/${client.version}/client.js.br`,
      `/client/packages.json`,
      '/client/x/client.js',
      '/client/0.1/toString',
    ]) {
      const answer = await get(path)
      expect(answer.statusCode, path).toBe(404)
      expect(answer.json()).toMatchObject({ code: 'NOT_FOUND' })
    }
  })
})

describe('the beginning of a version', () => {
  it('leads to the newest one that does what it did', async () => {
    expect(client.newest).toBe(`${BASE}/client/0.1/client.js`)
    const { statusCode, headers } = await get(pathOf({ url: client.newest }))
    expect([statusCode, headers['cache-control']]).toEqual([302, 'public, max-age=300'])
    const target = new URL(String(headers['location']), client.newest)
    expect(target.href).toBe(client.module.url)
  })

  it('of a release before or after leads there too, and is asked for each time', async () => {
    const { statusCode, headers } = await get('/client/0.1.9-b0123456789/client.js')
    expect([statusCode, headers['cache-control']]).toEqual([302, 'no-cache'])
    for (const other of ['0.2', '0.10', '1', '0', '1.1.0-b0123456789'])
      expect((await get(`/client/${other}/client.js`)).statusCode, other).toBe(404)
  })
})
