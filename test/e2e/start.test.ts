// `npm start` as a person meets it: an empty directory, Ctrl-C, again, and what a crash leaves behind.

import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Child, startChild } from '../support/children.ts'
import { waitFor } from '../support/http.ts'

const ROOT = join(import.meta.dirname, '../..')
const START = join(ROOT, 'scripts/start.mjs')
/** Any of them may have to build, where sources were changed meanwhile. */
const GRACE_MS = 30_000

let dir: string
let children: Child[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-start-'))
})

afterEach(async () => {
  await Promise.all(children.map(end))
  children = []
})

/** To the whole group: npm that is killed leaves its script behind, which holds our pipes and the directory. */
async function end({ pid, exited }: Child): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name)
    } catch {
      // ESRCH: the group is gone
    }
  }
  signal('SIGTERM')
  const timer = setTimeout(() => signal('SIGKILL'), GRACE_MS)
  await exited
  clearTimeout(timer)
}

afterAll(() => rm(dir, { recursive: true, force: true }))

async function start(command = [process.execPath, START]): Promise<Child> {
  const [program = '', ...args] = command
  const env = { DATA_DIR: dir, PORT: '0', OPS_PORT: '0', REDIS_URL: '', API_KEYS: '', PROCESSES: '1' }
  const child = await startChild(program, args, { cwd: ROOT, env, ownGroup: true })
  children.push(child)
  return child
}

async function ready(child: Child): Promise<{ api: string; ops: string; key: string | undefined }> {
  await waitFor(() => !child.running() || child.output().includes('Stop it:'), {
    what: 'npm start to be ready',
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${child.output()}`)
  })
  const found = (pattern: RegExp) => pattern.exec(child.output())?.[1]
  const api = found(/API {2,}(http\S+)/)
  const ops = found(/operations {2,}(http:\/\/[^/]+)/)
  if (api === undefined || ops === undefined) throw new Error(`no addresses in:\n${child.output()}`)
  return { api, ops, key: found(/API key {2,}(\S+)/) }
}

const keyKept = async () => JSON.parse(await readFile(join(dir, 'secrets.json'), 'utf8')).apiKey as string

async function profiles(api: string, key: string): Promise<number> {
  const answer = await fetch(`${api}/v1/profiles`, { headers: { authorization: `Bearer ${key}` } })
  await answer.arrayBuffer()
  return answer.status
}

/** Processes that were given our directory, in their environment or on their command line. */
function processesLeft(): string[] {
  const says = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8')
    } catch {
      return '' // it has ended meanwhile
    }
  }
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && (says(pid, 'environ') + says(pid, 'cmdline')).includes(dir))
    .map((pid) => says(pid, 'cmdline').replaceAll('\0', ' '))
}

/** Names what is left where something is. */
async function nothingLeft(): Promise<void> {
  await waitFor(() => {
    const left = processesLeft()
    if (left.length > 0) throw new Error(`still running:\n${left.join('\n')}`)
    return true
  })
}

test('starts on nothing, shows a key that works, refuses a second one, and ends without a trace on Ctrl-C', async () => {
  const first = await start()
  const { api, ops, key } = await ready(first)
  expect(key).toBe(await keyKept())
  expect(await profiles(api, key ?? '')).toBe(200)
  expect((await fetch(`${ops}/health/ready`)).status).toBe(200)

  const second = await start()
  expect((await second.exited).code).toBe(78)
  expect(second.output()).toMatch(/already runs on .*songngan-start/)
  expect(second.output().trim().split('\n')).toHaveLength(1)

  first.kill('SIGINT')
  first.kill('SIGINT') // npm passes on what the terminal has sent already: still one Ctrl-C
  expect(await first.exited).toEqual({ code: 0, signal: null })
  expect(first.output()).toContain('Stopped.')
  await nothingLeft()
})

test('a second start finds the same key and does not show it again', async () => {
  const child = await start()
  const { api, key } = await ready(child)
  expect(key).toBeUndefined()
  expect(child.output()).not.toContain(await keyKept())
  expect(await profiles(api, await keyKept())).toBe(200)
})

test('npm start ends on Ctrl-C in the terminal, which reaches npm and the script alike', async () => {
  const child = await start(['npm', 'start'])
  await ready(child)
  process.kill(-child.pid, 'SIGINT')
  await child.exited
  await nothingLeft()
})

test('after kill -9 nothing goes on alone, and the next start takes everything over', async () => {
  const killed = await start()
  await ready(killed)
  killed.kill('SIGKILL')
  await killed.exited
  const next = await start()
  const { api } = await ready(next)
  expect(await profiles(api, await keyKept())).toBe(200)
  next.kill('SIGTERM')
  expect(await next.exited).toEqual({ code: 0, signal: null })
  await nothingLeft()
})

test('a service that is killed comes back on its port', async () => {
  const child = await start()
  const { api } = await ready(child)
  const pid = readdirSync('/proc').find((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      const is = (file: string, text: string) => readFileSync(`/proc/${entry}/${file}`, 'utf8').includes(text)
      return is('cmdline', 'dist/src/server.js') && is('environ', dir)
    } catch {
      return false // it has ended meanwhile
    }
  })
  process.kill(Number(pid), 'SIGKILL')
  await waitFor(() => child.output().includes('service ended (SIGKILL)'))
  const key = await keyKept()
  await waitFor(async () => (await profiles(api, key)) === 200)
})
