// The packages for portals as every service serves them: what there is, under addresses that never change.

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientRoutes } from '../../../src/portal/client-routes.ts'
import { portalRoutes } from '../../../src/portal/routes.ts'
import { appWithProblems } from '../../support/app.ts'
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

  it('is no other one, and no word', async () => {
    for (const other of ['0.2', '0.10', '1', '0'])
      expect((await get(`/client/${other}/client.js`)).statusCode, other).toBe(404)
  })
})

describe('the exact version of another release', () => {
  // A redirect to ours would lead to where ours is not known, and from there back: for ever, with two services in turn.
  it('gives our file in its place, is asked for each time, and is no redirect', async () => {
    for (const other of ['0.1.0-b0123456789', '0.1.9-b0123456789']) {
      const { statusCode, headers, rawPayload } = await get(`/client/${other}/client.js`)
      expect([statusCode, headers['cache-control']], other).toEqual([200, 'no-cache'])
      expect(`sha384-${createHash('sha384').update(rawPayload).digest('base64')}`).toBe(client.module.integrity)
    }
  })

  it('that does something else is not found, and neither is its tarball', async () => {
    for (const path of ['1.1.0-b0123456789/client.js', '0.1.9-b0123456789/songngan-client-0.1.9-b0123456789.tgz'])
      expect((await get(`/client/${path}`)).statusCode, path).toBe(404)
  })
})

describe('a version of builds before', () => {
  const [before, now] = ['0.1.0-baaaaaaaaaa', '0.1.0-bbbbbbbbbbb']
  let folder: string
  let app: FastifyInstance
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'songngan-served-'))
    const listed = (version: string, files: string[]) => ({
      name: '@songngan/client',
      version,
      entry: 'client.js',
      tarball: 'client.tgz',
      files: Object.fromEntries(files.map((file) => [file, { bytes: 1, integrity: '' }])),
    })
    for (const version of [before, now]) {
      await mkdir(join(folder, version))
      await writeFile(join(folder, version, 'client.js'), version)
    }
    const list = { packages: [listed(now, ['client.js', 'lost.js'])], earlier: [listed(before, ['client.js'])] }
    await writeFile(join(folder, 'packages.json'), JSON.stringify(list))
    const { config } = stack.deps
    app = appWithProblems()
    await portalRoutes(app, { config })
    await clientRoutes(app, { config, folder })
  })
  afterAll(async () => {
    await app?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('is there as long as its files are, unchanged', async () => {
    for (const version of [before, now]) {
      const { statusCode, headers, body } = await app.inject(`/client/${version}/client.js`)
      expect([statusCode, headers['cache-control'], body]).toEqual([200, FOR_EVER, version])
    }
  })

  it('is neither listed nor led to', async () => {
    expect((await app.inject('/client')).json<{ packages: Listed[] }>().packages.map(({ version }) => version)).toEqual(
      [now],
    )
    expect((await app.inject('/client/0.1/client.js')).headers['location']).toBe(`../${now}/client.js`)
  })

  it('of which a file was lost says so, and not for ever', async () => {
    const { statusCode, headers } = await app.inject(`/client/${now}/lost.js`)
    expect([statusCode, headers['cache-control']]).toEqual([404, 'no-cache'])
  })
})
