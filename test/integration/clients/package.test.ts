// The packed client in the hands of a portal: fetched from the service and installed into an empty folder, without a registry; used
// by a program, and by TypeScript.

import { execFile } from 'node:child_process'
import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'

const ROOT = join(import.meta.dirname, '../../..')
const run = promisify(execFile)

let stack: Environment
let folder: string
beforeAll(async () => {
  stack = await openEnvironment()
  folder = await mkdtemp(join(tmpdir(), 'songngan-portal-'))
  await writeFile(join(folder, 'package.json'), '{ "name": "portal", "private": true, "type": "module" }')
})
afterAll(async () => {
  await stack?.close()
  await rm(folder, { recursive: true, force: true })
})

type Listed = { name: string; version: string; tarball: { url: string; integrity: string } }

async function listed(): Promise<Listed> {
  const { packages } = (await (await fetch(`${stack.url}/client`)).json()) as { packages: Listed[] }
  return packages.find(({ name }) => name === '@songngan/client') as Listed
}

/** A program in the portal's folder; what it printed. */
async function portalRuns(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text)
  const env = { PATH: process.env['PATH'], SERVICE: stack.url, API_KEY: PORTAL_KEY }
  const { stdout } = await run(process.execPath, [name], { cwd: folder, env })
  return stdout.trim()
}

/** What the compiler of the project says of it; empty: nothing. */
async function compilerSays(text: string, moduleResolution: 'nodenext' | 'bundler'): Promise<string> {
  await writeFile(join(folder, 'portal.ts'), text)
  const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
  const options = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module,
    moduleResolution,
    lib: ['es2022', 'dom'],
    types: [],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['portal.ts'] }))
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  return await run(tsc, ['-p', folder]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

describe('the tarball', () => {
  it('is installed as a file, with nothing else, and no registry', async () => {
    const { version, tarball } = await listed()
    const file = basename(tarball.url)
    await writeFile(join(folder, file), Buffer.from(await (await fetch(tarball.url)).arrayBuffer()))
    // A registry that nobody answers at: port 9 is for discarding.
    const args = ['install', `./${file}`, '--registry=http://127.0.0.1:9', '--cache', join(folder, '.npm')]
    await run('npm', [...args, '--no-audit', '--no-fund', '--fetch-retries=0'], { cwd: folder })
    const read = async (path: string) => JSON.parse(await readFile(join(folder, path), 'utf8'))
    const { packages } = await read('package-lock.json')
    expect(Object.keys(packages)).toEqual(['', 'node_modules/@songngan/client'])
    expect(await read('node_modules/@songngan/client/package.json')).toMatchObject({
      name: '@songngan/client',
      version,
      type: 'module',
    })
    expect(await read('node_modules/@songngan/client/package.json')).not.toHaveProperty('dependencies')
    // A copy, which stays when the tarball goes.
    expect((await lstat(join(folder, 'node_modules/@songngan/client'))).isSymbolicLink()).toBe(false)
  })

  it('works in a program of the portal', async () => {
    const printed = await portalRuns(
      'portal.js',
      `import { Songngan, SongnganError } from '@songngan/client'
       const songngan = new Songngan({ url: process.env.SERVICE, token: process.env.API_KEY })
       const { state } = await songngan.submissions.put('packed-1', { profile: 'intake@1' })
       const { limits } = await songngan.tickets.create('packed-1', { slot: 'plan' })
       const error = await songngan.tickets.create('packed-1', { slot: 'nothing' }).catch((thrown) => thrown)
       for await (const news of songngan.events('packed-1')) {
         console.log(JSON.stringify([state, limits.filesLeft, error instanceof SongnganError, error.code, news.type]))
         break
       }`,
    )
    expect(JSON.parse(printed)).toEqual(['open', 1, true, 'SLOT_UNKNOWN', 'snapshot'])
  })

  it.each(['nodenext', 'bundler'] as const)('has types that know the API (%s)', async (moduleResolution) => {
    const right = `
      import { type Problem, Songngan, SongnganError, type Submission, verifyWebhook } from '@songngan/client'
      const songngan = new Songngan({ url: 'https://songngan.example', token: async () => 'key' })
      const submission: Submission = await songngan.submissions.put('s', { profile: 'teacher.K4', deadline: null })
      const missing: string[] = submission.missing
      const { items } = await songngan.uploads.list('s', { state: 'rejected' })
      const size: number | null | undefined = items[0]?.declared.bytes
      for await (const news of songngan.events('s', { lastEventId: 'evt_1' })) {
        if (news.type === 'snapshot') { const complete: boolean = news.document.complete }
        else if (news.type === 'submission.due') { const hours: 24 | 1 = news.data.hours }
        else if (news.type === 'upload.rejected') { const slot: string = news.data.slot }
      }
      const event = await verifyWebhook(new Uint8Array(), { 'webhook-id': 'evt_1', cookie: undefined }, ['a', 'b'])
      const problem: Problem | undefined = new SongnganError({ code: 'X', texts: { th: '', en: '' } }).problem
      export { event, missing, problem, size }`
    expect(await compilerSays(right, moduleResolution)).toBe('')
    const wrong = `
      import { Songngan } from '@songngan/client'
      const songngan = new Songngan({ url: 'https://songngan.example' })
      await songngan.submissions.put('s', { profil: 'teacher.K4' })
      await songngan.tickets.create('s', {})
      await songngan.uploads.list('s', { state: 'lost' })
      const { nothing } = await songngan.submissions.get('s')
      export { nothing }`
    const lines = (await compilerSays(wrong, moduleResolution)).matchAll(/portal\.ts\((\d+),/g)
    expect([...new Set([...lines].map(([, line]) => Number(line)))]).toEqual([4, 5, 6, 7])
  })
})
