// Servers that answer PING and cannot be used: each is named at start, with what to set instead.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLogger } from '../../../src/core/logger.ts'
import { NEEDED_PERMISSIONS, requirePrimary } from '../../../src/core/redis-shape.ts'
import { startChild } from '../../support/children.ts'
import { freePort, waitFor } from '../../support/http.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { startService } from '../../support/service.ts'

async function server(...args: string[]): Promise<TestRedis> {
  const redis = await startRedis({ appendOnly: true, args })
  onTestFinished(() => redis.stop())
  return redis
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'songngan-shape-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** What the operator is told; undefined: it may start. */
async function refusal(url: string, timeoutMs = 1000): Promise<{ told?: string; lines: string }> {
  const lines: string[] = []
  const logger = createLogger({ name: 'shape', level: 'info' }, { write: (line) => void lines.push(line) })
  try {
    await requirePrimary(url, timeoutMs, logger)
    return { lines: lines.join('') }
  } catch (error) {
    return { told: (error as Error).message, lines: lines.join('') }
  }
}

describe('unsuitable Redis servers', () => {
  test('a primary with an append-only file is accepted without a warning', async () => {
    expect(await refusal((await server()).url)).toEqual({ lines: '' })
  })

  test('a sentinel', async () => {
    const primary = await server()
    const port = await freePort()
    const file = join(folder(), 'sentinel.conf')
    writeFileSync(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor sn 127.0.0.1 ${primary.port} 1\n`)
    const sentinel = await startChild('redis-server', [file, '--sentinel'])
    onTestFinished(async () => void (await sentinel.stop()))
    await waitFor(
      async () => (await refusal(`redis://127.0.0.1:${port}`)).told?.includes('redis+sentinel://') === true,
      {
        what: 'the sentinel to be named',
      },
    )
    expect(await refusal(`redis+sentinel://127.0.0.1:${port}/sn`)).toEqual({ lines: '' })
    expect((await refusal(`redis+sentinel://127.0.0.1:${port}/other`)).told).toContain('no primary named other')
    const control = new Redis(port)
    onTestFinished(() => control.disconnect())
    await control.call('ACL', 'SETUSER', 'default', 'resetpass', '>right')
    expect((await refusal(`redis+sentinel://127.0.0.1:${port}/sn`)).told).toContain('?sentinelPassword=')
    const right = `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${port}/sn/1?sentinelPassword=right`
    expect(await refusal(right)).toEqual({ lines: '' })
  })

  test('a node of a cluster', async () => {
    const { told } = await refusal((await server('--cluster-enabled', 'yes')).url)
    expect(told).toContain('redis+cluster://')
    const single = (await server()).url.replace('redis:', 'redis+cluster:')
    expect((await refusal(single)).told).toContain('not part of a cluster')
  })

  test('a replica is waited for, because it may become the primary; then it is reported', async () => {
    const primary = await server()
    const replica = await server('--replicaof', `127.0.0.1 ${primary.port}`)
    expect((await refusal(replica.url)).told).toContain(`replica of 127.0.0.1:${primary.port}`)
    const waiting = refusal(replica.url, 60_000)
    const control = new Redis(replica.url)
    onTestFinished(() => control.disconnect())
    await control.replicaof('NO', 'ONE')
    expect((await waiting).told).toBeUndefined()
  })

  test('a server that evicts', async () => {
    const { told } = await refusal((await server('--maxmemory-policy', 'allkeys-lru')).url)
    expect(told).toContain('maxmemory-policy is allkeys-lru')
  })

  test('a server without an append-only file is accepted with a warning', async () => {
    const { told, lines } = await refusal((await server('--appendonly', 'no')).url)
    expect(told).toBeUndefined()
    expect(lines).toContain('append-only file is off')
  })

  test('no password, and a wrong one', async () => {
    const redis = await server()
    const control = new Redis(redis.url)
    onTestFinished(() => control.disconnect())
    await control.config('SET', 'requirepass', 'right')
    expect((await refusal(redis.url)).told).toContain('requires a password')
    expect((await refusal(redis.url.replace('//', '//:wrong@'))).told).toContain('wrong user name or password')
    expect((await refusal(redis.url.replace('//', '//:right@'))).told).toBeUndefined()
  })

  test('TLS to a plain server, plain to a TLS server, and an untrusted certificate', async () => {
    const plain = await server()
    expect((await refusal(plain.url.replace('redis:', 'rediss:'))).told).toContain('redis:// instead')
    const dir = folder()
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '3650']
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const port = await freePort()
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no']
    await server('--tls-port', String(port), ...files)
    expect((await refusal(`redis://127.0.0.1:${port}`)).told).toContain('rediss:// instead')
    expect((await refusal(`rediss://localhost:${port}`)).told).toContain('?ca=FILE')
    expect((await refusal(`rediss://localhost:${port}/0?ca=${key}x`)).told).toContain('the CA cannot be read')
    expect((await refusal(`rediss://localhost:${port}/0?ca=${cert}`)).told).toBeUndefined()
  })

  test('a user with too few permissions: the error names the missing ones, and with them the service starts', async () => {
    const redis = await server()
    const control = new Redis(redis.url)
    onTestFinished(() => control.disconnect())
    await control.call('ACL', 'SETUSER', 'few', 'on', '>secret', '~other:*', '&*', '+@read', '+@connection', '+info')
    expect((await refusal(redis.url.replace('//', '//few:secret@'))).told).toContain(NEEDED_PERMISSIONS)
    await control.call('ACL', 'SETUSER', 'enough', 'on', '>secret', ...NEEDED_PERMISSIONS.split(' '))
    const service = await startService({
      env: {
        REDIS_URL: redis.url.replace('//', '//enough:secret@'),
        API_KEYS: 'portal:portal-secret-0123456789',
        TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
      },
    })
    onTestFinished(() => service.stop())
    await service.ready()
    expect(service.logs().filter(({ level }) => level !== 'info' && level !== 'debug')).toEqual([])
  })

  test('no server', async () => {
    expect((await refusal(`redis://127.0.0.1:${await freePort()}`)).told).toMatch(/no usable Redis.*ECONNREFUSED/)
  })
})
