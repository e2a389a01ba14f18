// What the processes write is for their user alone, also where a shell or an image thinks otherwise.

import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Child, startChild } from '../../support/children.ts'
import { freePort, waitFor } from '../../support/http.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const ROOT = join(import.meta.dirname, '../../..')

let redis: TestRedis
let folder: string

beforeAll(async () => {
  redis = await startRedis()
  folder = await mkdtemp(join(tmpdir(), 'songngan-private-'))
})
afterAll(async () => {
  await redis?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Everything below a folder with rights for others. */
async function openToOthers(path: string): Promise<string[]> {
  const own = ((await stat(path)).mode & 0o077) === 0 ? [] : [path]
  if (!(await stat(path)).isDirectory()) return own
  const below = await Promise.all((await readdir(path)).map((name) => openToOthers(join(path, name))))
  return [...own, ...below.flat()]
}

it.each([
  ['service', 'src/server.ts'],
  ['worker', 'workers/main.ts'],
])('%s', async (name, entry) => {
  const dataDir = join(folder, name)
  // One that a shell had made before.
  await mkdir(dataDir)
  await chmod(dataDir, 0o755)
  const opsPort = await freePort()
  const line = `umask 022; exec ${process.execPath} --import tsx ${join(ROOT, entry)}`
  const child: Child = await startChild('/bin/sh', ['-c', line], {
    cwd: ROOT,
    env: {
      REDIS_URL: redis.url,
      DATA_DIR: dataDir,
      TICKET_SECRET: 'a-secret-of-this-test-long-enough-for-everything',
      PORT: '0',
      PROCESSES: '1',
      OPS_PORT: String(opsPort),
    },
  })
  try {
    await waitFor(
      async () =>
        await fetch(`http://127.0.0.1:${opsPort}/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { what: `the ${name}: ${child.output()}` },
    )
    expect((await readdir(dataDir)).length).toBeGreaterThan(0)
    expect(await openToOthers(dataDir)).toEqual([])
  } finally {
    await child.stop()
  }
})
