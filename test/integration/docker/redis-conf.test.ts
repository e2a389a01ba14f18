import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { startChild } from '../../support/children.ts'
import { freePort, waitFor } from '../../support/http.ts'

test('docker/redis.conf is accepted by Redis: append-only, no eviction', async ({ onTestFinished }) => {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-redis-conf-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, 'redis.conf')
  await cp(join(import.meta.dirname, '../../../docker/redis.conf'), file)
  await writeFile(file, (await readFile(file, 'utf8')).replace('dir /data', `dir ${dir}`))
  const port = await freePort()
  const command = [file, '--port', String(port), '--bind', '127.0.0.1', '--requirepass', 'a password']
  const server = await startChild('redis-server', command)
  onTestFinished(async () => void (await server.stop()))

  const client = new Redis(port, { password: 'a password' })
  client.on('error', () => {}) // refused until the server listens
  onTestFinished(() => client.disconnect())
  await waitFor(async () => (await client.ping()) === 'PONG')
  expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes'])
  expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'everysec'])
  expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
})
