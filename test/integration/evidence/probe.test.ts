// A probe beside a real service: what it sees from outside, how it gets into the ledger, and what it keeps until it can.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { lookAt } from '../../../src/cli/probe/look.ts'
import { Probe } from '../../../src/cli/probe/probe.ts'
import { isoTime } from '../../../src/core/clock.ts'
import { localCertificate } from '../../support/certificate.ts'
import { testClock } from '../../support/clock.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { startTcpProxy, type TcpProxy } from '../../support/proxy.ts'

const KEY = 'bangkok:probe-secret-0123456789'
const EVERY = 10_000
const MINUTE = 60_000

const clock = testClock()
let h: Environment
let balancer: TcpProxy
let folder: string
beforeAll(async () => {
  h = await openEnvironment({ clock, env: { PROBE_KEYS: KEY } })
  balancer = await startTcpProxy(h.url)
})
afterAll(async () => {
  await balancer.stop()
  await h.close()
})
let before = new Set<string>()
beforeEach(async () => {
  balancer.reset()
  folder = await mkdtemp(join(tmpdir(), 'songngan-probe-'))
  before = new Set((await h.deps.outages.list()).map(({ id }) => id))
  return () => rm(folder, { recursive: true, force: true })
})

const kept = async () => JSON.parse(await readFile(join(folder, 'findings.json'), 'utf8'))
const found = async () => (await h.deps.outages.list()).filter(({ id }) => !before.has(id))
/** @param more another key, or another clock */
const probe = (more: { key?: string; aheadMs?: number; url?: string; unless?: string } = {}) => {
  const said: string[] = []
  const { key = KEY, aheadMs = 0, url = balancer.url, unless } = more
  const one = new Probe({
    target: { url: new URL(url) },
    key,
    file: join(folder, 'findings.json'),
    everyMs: EVERY,
    now: () => clock.ms + aheadMs,
    say: (words) => void said.push(words),
    ...(unless === undefined ? {} : { unless: { url: new URL(unless) } }),
  })
  const looks = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await one.look()
      clock.ms += EVERY
    }
  }
  return { one, looks, said }
}
/** The balancer takes no connections for so many looks. */
const dead = async (looks: (times: number) => Promise<void>, times: number) => {
  balancer.set({ refuse: true })
  balancer.cut()
  await looks(times)
  balancer.reset()
}

it('files what was wrong in front of the services, within one look, by the clock of the service', async () => {
  const { looks, said } = probe({ aheadMs: -5 * MINUTE })
  await looks(2)
  const diedMs = clock.ms
  await dead(looks, 12)
  const backMs = clock.ms
  await looks(2)
  const [entry, ...more] = await found()
  expect([entry?.seenBy, entry?.probe, more]).toEqual(['probe', 'bangkok', []])
  expect(entry?.reason).toMatch(/^connection: (ECONNRESET|ECONNREFUSED)$/)
  expect(Math.abs(Date.parse(entry?.from ?? '') - diedMs)).toBeLessThanOrEqual(EVERY + 1000)
  expect(Math.abs(Date.parse(entry?.to ?? '') - backMs)).toBeLessThanOrEqual(1000)
  expect(said.map((words) => words.split(/[;:]/)[0])).toEqual(['up', 'down', 'up', 'delivered'])
  expect(await kept()).toEqual({ open: null, waiting: [], refused: [] })
})

it('a moment is no outage', async () => {
  const { looks } = probe()
  await looks(2)
  await dead(looks, 1)
  await looks(2)
  expect(await found()).toEqual([])
})

it('keeps what it cannot deliver, over its own end, and delivers it once', async () => {
  const wrong = probe({ key: 'bangkok:another-secret-0123456' })
  await wrong.looks(1)
  await dead(wrong.looks, 6)
  await wrong.looks(2)
  expect((await kept()).waiting).toHaveLength(1)
  expect(wrong.said.at(-1)).toBe('up; a finding waits, since it was answered HTTP 401')
  const right = probe()
  await right.looks(3)
  expect(await found()).toHaveLength(1)
  expect((await kept()).waiting).toEqual([])
})

it('goes on with an outage that it was ended in', async () => {
  const first = probe()
  await first.looks(1)
  const diedMs = clock.ms
  await dead(first.looks, 6)
  await dead(probe().looks, 6)
  await probe().looks(1)
  const [entry] = await found()
  expect(Math.abs(Date.parse(entry?.from ?? '') - diedMs)).toBeLessThanOrEqual(EVERY + 1000)
  expect(Date.parse(entry?.to ?? '') - Date.parse(entry?.from ?? '')).toBeGreaterThanOrEqual(12 * EVERY)
})

it('a finding that the service calls wrong is kept for people, and holds up no other', async () => {
  const old = { from: isoTime(clock.ms - 40 * 86_400_000), to: isoTime(clock.ms - 39 * 86_400_000), reason: 'x' }
  const good = { from: isoTime(clock.ms - 5 * MINUTE), to: isoTime(clock.ms - MINUTE), reason: 'x' }
  await writeFile(join(folder, 'findings.json'), JSON.stringify({ waiting: [old, good] }))
  await probe().looks(1)
  expect(await found()).toMatchObject([{ from: good.from }])
  expect(await kept()).toEqual({ open: null, waiting: [], refused: [old] })
})

it('its own line that is down is no outage', async () => {
  const { looks, said } = probe({ unless: balancer.url })
  await looks(1)
  await dead(looks, 6)
  await looks(2)
  expect(await found()).toEqual([])
  expect(said.find((words) => words.startsWith('unknown'))).toContain("this host's own line")
})

it('writes over no file of somebody else', async () => {
  await writeFile(join(folder, 'findings.json'), '{"name":"songngan"}')
  await expect(probe().one.look()).rejects.toThrow('is not a file of songngan probe')
})

it('tells what it got instead of an answer', async () => {
  const servers: Server[] = []
  const serve = async (certificate: { certificate: string; key: string }, status: number, body: string) => {
    const server = createServer({ cert: certificate.certificate, key: certificate.key }, (_request, reply) => {
      reply.writeHead(status).end(body)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  }
  const good = localCertificate()
  const expired = localCertificate({ until: '20210101000000Z' })
  const reason = async (url: URL, ca?: string) => {
    const look = await lookAt({ url, ...(ca === undefined ? {} : { ca }) })
    return look.isUp ? 'up' : look.reason
  }
  const at = '{"status":"open","at":"2026-01-01T00:00:00.000Z"}'
  try {
    expect(await reason(await serve(good, 200, at), good.certificate)).toBe('up')
    expect(await reason(await serve(expired, 200, at), expired.certificate)).toBe('certificate: CERT_HAS_EXPIRED')
    expect(await reason(await serve(good, 200, at))).toMatch(/^certificate: /)
    expect(await reason(await serve(good, 502, 'Bad Gateway'), good.certificate)).toBe('answer: HTTP 502')
    expect(await reason(await serve(good, 200, '<h1>Welcome</h1>'), good.certificate)).toBe('answer: not from Songngan')
    expect(await reason(new URL('http://no-such-host.invalid'))).toMatch(/^(name|connection): /)
  } finally {
    for (const server of servers) server.close()
  }
})
