// A program in the place of ffmpeg, ffprobe, qpdf and pdftoppm on a whole installation, as `npm start` runs it, for both
// stores: it reads its input and writes its output, and nothing else of what it tries works.
// The tools are replaced in a mount namespace of the test's own, so that nobody else meets them.

import { spawnSync } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, startChild } from '../support/children.ts'
import { waitFor } from '../support/http.ts'
import { type Corpus, createCorpus, ffmpeg } from '../support/media/corpus.ts'
import { pdfBytes } from '../support/media/pdfs.ts'
import { overBothStores } from '../support/over-both-stores.ts'
import { writeProfiles } from '../support/profiles.ts'
import { startS3, type TestS3 } from '../support/s3.ts'
import { setTrap } from '../support/trap.ts'
import { idOf, tusUser } from '../support/tus.ts'

const ROOT = join(import.meta.dirname, '../..')
const MEDIA = join(import.meta.dirname, '../support/media')
const TOOLS = ['ffmpeg', 'ffprobe', 'qpdf', 'pdftoppm'] as const
type Tool = (typeof TOOLS)[number]
/** A folder of the system that tools may read, and that nobody needs: the real tools lie there meanwhile. */
const BESIDE = '/usr/share/doc'
const NAMESPACE = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m']
const canMount = spawnSync('unshare', [...NAMESPACE, 'mount', '--bind', '/bin/true', '/usr/bin/qpdf']).status === 0

let corpus: Corpus
let film: Buffer

beforeAll(async () => {
  corpus = await createCorpus()
  const path = join(corpus.dir, 'clip.mp4')
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25']
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440']
  await ffmpeg(picture, sound, ['-t', '5', '-c:v', 'libx264', '-c:a', 'aac', '-movflags', '+faststart', path])
  film = await readFile(path)
})
afterAll(() => corpus.remove())

/** A whole, right file that also holds the words which the program looks for. */
function baited(tool: Tool, task: string): { slot: string; name: string; bytes: Buffer } {
  const words = `hostile ${tool} ${task};`
  if (tool === 'qpdf' || tool === 'pdftoppm') {
    // A comment after the end: readers look for the last %%EOF.
    const bytes = Buffer.concat([pdfBytes({ pages: 1 }), Buffer.from(`\n%${words}\n%%EOF\n`)])
    return { slot: 'plan', name: `${tool}.pdf`, bytes }
  }
  const box = Buffer.alloc(8 + words.length)
  box.writeUInt32BE(box.length, 0)
  box.write(`free${words}`, 4, 'latin1')
  return { slot: 'clip', name: `${tool}.mp4`, bytes: Buffer.concat([film, box]) }
}

describe.skipIf(!canMount)('a program in the place of a tool, under npm start', () => {
  overBothStores((store) => {
    let dir: string
    let data: string
    let s3: TestS3 | undefined
    let child: Child
    let api: string
    let key: string
    const trap = setTrap()

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'songngan-fenced-'))
      data = join(dir, 'data')
      await mkdir(join(data, 'objects'), { recursive: true })
      await writeFile(join(data, 'objects/another'), 'a film of somebody else')
      await writeProfiles(join(dir, 'profiles'))
      const port = await trap.listen()
      await trap.listen(join(dir, 'socket'))
      const [disguise, program] = await Promise.all(
        ['disguised-tool.pl', 'hostile-tool.pl'].map((name) => readFile(join(MEDIA, name), 'utf8')),
      )
      const text = `${disguise}${program}`
        .replaceAll('__TOOLS__', BESIDE)
        .replaceAll('__DATA__', data)
        .replaceAll('__PORT__', String(port))
        .replaceAll('__SOCKET__', join(dir, 'socket'))
      await mkdir(join(dir, 'real'))
      await writeFile(join(dir, 'disguised'), text)
      await chmod(join(dir, 'disguised'), 0o755)
      for (const tool of TOOLS) await copyFile(await realpath(`/usr/bin/${tool}`), join(dir, 'real', tool))
      const mounts = TOOLS.map((tool) => `mount --bind ${dir}/disguised $(realpath /usr/bin/${tool})`)
      const script = [`mount --bind ${dir}/real ${BESIDE}`, ...mounts, `exec ${process.execPath} scripts/start.mjs`]
      s3 = store === 's3' ? await startS3() : undefined
      child = await startChild('unshare', [...NAMESPACE, 'sh', '-ec', script.join('\n')], {
        cwd: ROOT,
        ownGroup: true,
        env: {
          DATA_DIR: data,
          PROFILES_DIR: join(dir, 'profiles'),
          PORT: '0',
          OPS_PORT: '0',
          REDIS_URL: '',
          API_KEYS: '',
          PROCESSES: '1',
          LOG_LEVEL: 'debug',
          ...s3?.env,
          ...(s3 === undefined
            ? {}
            : { AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey }),
        },
      })
      await waitFor(() => !child.running() || child.output().includes('Stop it:'), { what: 'npm start to be ready' })
      api = /API {2,}(http\S+)/.exec(child.output())?.[1] ?? ''
      key = /API key {2,}(\S+)/.exec(child.output())?.[1] ?? ''
    })
    afterAll(async () => {
      process.kill(-child.pid, 'SIGTERM')
      await child.exited
      await trap.close()
      await s3?.stop()
      await rm(dir, { recursive: true, force: true })
    })

    /** @returns the id of the upload */
    async function hand(tool: Tool, task: string): Promise<string> {
      const { slot, name, bytes } = baited(tool, task)
      const call = async (method: string, path: string, body: object) => {
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
        const answer = await fetch(api + path, { method, headers, body: JSON.stringify(body) })
        expect(answer.ok, `${path}: ${answer.status}`).toBe(true)
        return (await answer.json()) as { ticket?: string }
      }
      const submission = `/v1/submissions/${tool}-${task}`
      await call('PUT', submission, { profile: 'test@1' })
      const { ticket = '' } = await call('POST', `${submission}/tickets`, { slot })
      const user = tusUser(api, ticket)
      const url = await user.create({ length: bytes.length, name })
      expect((await user.patch(url, 0, bytes)).status).toBe(204)
      return idOf(url)
    }

    /** What it said of itself, out of the worker's log. */
    async function reported(tool: Tool, task: string): Promise<string> {
      const pattern = new RegExp(`hostile ${tool} ${task}: (tried \\d+; did [^.]*)\\.`)
      return await waitFor(() => pattern.exec(child.output())?.[1], {
        what: `${tool} ${task}: ${child.output().slice(-2000)}`,
      })
    }

    test.each(TOOLS)('%s', async (tool) => {
      await hand(tool, 'attack')
      const [, tried, did = ''] = /tried (\d+); did (.*)/.exec(await reported(tool, 'attack')) ?? []
      expect(Number(tried)).toBeGreaterThan(40)
      expect(['reads its input', 'reads its input, writes its output']).toContain(did)
      expect(trap.caught()).toBe(0)
      expect(JSON.parse(await readFile(join(data, 'secrets.json'), 'utf8'))).toHaveProperty('apiKey')
      expect((await stat(join(data, 'secrets.json'))).mode & 0o777).toBe(0o600)
      expect(await readFile(join(data, 'objects/another'), 'utf8')).toBe('a film of somebody else')
    })

    test('that takes without end has no children, and its file gets its verdict when a limit ends it', async () => {
      await hand('qpdf', 'fork')
      expect(await reported('qpdf', 'fork')).toBe('tried 0; did 0 children')
      for (const task of ['memory', 'loop']) {
        const id = await hand('qpdf', task)
        const { state } = await waitFor(async () => {
          const answer = await fetch(`${api}/v1/uploads/${id}`, { headers: { authorization: `Bearer ${key}` } })
          const upload = (await answer.json()) as { state: string }
          return ['accepted', 'ready', 'rejected'].includes(upload.state) && upload
        })
        expect(['accepted', 'ready', 'rejected']).toContain(state)
        expect(child.output()).not.toContain('4 GiB taken')
      }
    })
  })
})
