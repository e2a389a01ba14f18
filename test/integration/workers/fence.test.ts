// A worker on a machine that has no fence to offer: it does not start, unless it is told that none is wanted, and then
// says so wherever one may look.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FenceError, proveFence } from '../../../workers/media/fence-proof.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { createScratchRoom } from '../../../workers/media/scratch.ts'
import { type Child, startChild } from '../../support/children.ts'
import { freePort, waitFor } from '../../support/http.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const WORKER = join(import.meta.dirname, '../../support/quick-worker.ts')
const WITHOUT_LANDLOCK = join(import.meta.dirname, '../../support/media/without-landlock.pl')
const EOPNOTSUPP = '95'

let redis: TestRedis
let dataDir: string
const children: Child[] = []

beforeAll(async () => {
  redis = await startRedis()
  dataDir = await mkdtemp(join(tmpdir(), 'songngan-fence-'))
})
afterAll(async () => {
  for (const child of children) await child.stop()
  await redis?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

async function worker(on: 'any machine' | 'one without Landlock', more: Record<string, string> = {}) {
  const port = await freePort()
  const node = [process.execPath, '--import', 'tsx', WORKER]
  const line = on === 'any machine' ? node : ['/usr/bin/perl', WITHOUT_LANDLOCK, EOPNOTSUPP, ...node]
  const [command = '', ...args] = line
  const child = await startChild(command, args, {
    env: {
      REDIS_URL: redis.url,
      DATA_DIR: dataDir,
      TICKET_SECRET: 'a-secret-of-this-test-long-enough-for-everything',
      OPS_PORT: String(port),
      LOG_LEVEL: 'info',
      ...more,
    },
  })
  children.push(child)
  return { child, url: `http://127.0.0.1:${port}` }
}

const ready = async (url: string): Promise<boolean> =>
  await fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

const details = async (url: string) => (await (await fetch(`${url}/health/details`)).json()) as object

const fencedSeries = async (url: string): Promise<string[]> =>
  (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((l) => l.startsWith('media_tools_fenced'))

describe('a worker', () => {
  it('starts with a fence that it has tried, and tells what was tried', async () => {
    const { child, url } = await worker('any machine')
    await waitFor(() => ready(url), { what: `the worker: ${child.output()}` })
    expect(await details(url)).toMatchObject({
      mediaTools: {
        isolation: 'landlock',
        proven: expect.arrayContaining(['has no network', 'reads no other file', 'has no children']),
      },
    })
    expect(await fencedSeries(url)).toEqual(['media_tools_fenced{isolation="landlock"} 1'])
    await child.stop()
  })

  it('does not start where the kernel has none to offer, and says what to do', async () => {
    const { child } = await worker('one without Landlock')
    expect(await child.exited).toEqual({ code: 78, signal: null })
    expect(child.output()).toMatch(/cannot fence its media tools in .*Landlock: Operation not supported/)
    expect(child.output()).toContain('MEDIA_ISOLATION=none')
  })

  it('starts without one where that is wanted, warns, and shows it', async () => {
    const { child, url } = await worker('one without Landlock', { MEDIA_ISOLATION: 'none' })
    await waitFor(() => ready(url), { what: `the worker: ${child.output()}` })
    expect(await details(url)).toMatchObject({ mediaTools: { isolation: 'none', proven: [] } })
    expect(await fencedSeries(url)).toEqual(['media_tools_fenced{isolation="none"} 0'])
    const warning = child
      .output()
      .split('\n')
      .find((line) => line.includes('MEDIA_ISOLATION=none'))
    expect(JSON.parse(warning ?? '{}')).toMatchObject({ level: expect.stringMatching(/warn|40/) })
    await child.stop()
  })

  it('that opens no files needs none', async () => {
    const { child, url } = await worker('one without Landlock', { WORKER_LANES: 'notify,maintain' })
    await waitFor(() => ready(url), { what: `the worker: ${child.output()}` })
    expect(await details(url)).not.toHaveProperty('mediaTools')
    expect(await fencedSeries(url)).toEqual([])
    await child.stop()
  })
})

describe('proveFence', () => {
  it('finds out a fence that is none', async () => {
    const open = await createRunner({ isolation: 'none' })
    const room = createScratchRoom({ root: join(dataDir, 'scratch'), marginBytes: 0 })
    const pretended = { ...open, isolation: 'landlock' as const }
    const proof = proveFence(pretended, room, dataDir)
    await expect(proof).rejects.toThrow(FenceError)
    await expect(proof).rejects.toThrow(/reads no other file: broken.*signals nobody: broken/)
  })
})
