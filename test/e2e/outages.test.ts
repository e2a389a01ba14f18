// An outage from one end to the other, with real processes: all services dead, what the ledger says of it, and the deadlines that
// fell into it moved once, also by a command that is killed half-way.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChild } from '../support/children.ts'
import { waitFor } from '../support/http.ts'
import { testedFrom } from '../support/service.ts'
import { type Installation, startInstallation } from './support/installation.ts'

const ROOT = join(import.meta.dirname, '../..')
const CLI = testedFrom() === 'dist' ? [join(ROOT, 'dist/src/cli.js')] : ['--import', 'tsx', join(ROOT, 'src/cli.ts')]
const SUBMISSIONS = ['o-1', 'o-2', 'o-3']
/** Of the heartbeat in the store here. */
const BEAT_MS = 1000
/** An outage is long enough to be one, and to be told from the moments around it. */
const DEAD_MS = 8 * BEAT_MS

type Entry = { id: string; from: string; to: string; affected: string; receipt: string }

let stack: Installation
beforeAll(async () => {
  stack = await startInstallation({ worker: false, env: { HEARTBEAT_SECONDS: String(BEAT_MS / 1000) } })
})
afterAll(() => stack?.close())

async function songngan(args: string[], env: Record<string, string> = {}) {
  const child = await startChild(process.execPath, [...CLI, ...args, '--json'], {
    env: { ...stack.service.env, ...env },
  })
  const { code, signal } = await child.exited
  return { code, signal, output: child.output() }
}
const asked = async (...args: string[]) => {
  const { code, output } = await songngan(args)
  if (code !== 0) throw new Error(`songngan ${args.join(' ')}: exit code ${code}\n${output}`)
  return JSON.parse(output)
}
const deadlines = async () => {
  const all = SUBMISSIONS.map(async (id) => JSON.parse((await stack.call('GET', `/v1/submissions/${id}`)).text))
  return (await Promise.all(all)).map(({ deadline }: { deadline: string }) => deadline)
}

test('all services dead: the ledger has the time, signed, and gives it back once', async () => {
  const { service } = stack
  const soon = new Date(Date.now() + DEAD_MS / 2).toISOString()
  for (const id of SUBMISSIONS)
    await stack.call('PUT', `/v1/submissions/${id}`, { profile: 'teacher.K4', deadline: soon })
  const far = new Date(Date.now() + 90 * 86_400_000).toISOString()
  await stack.call('PUT', '/v1/submissions/far', { profile: 'teacher.K4', deadline: far })
  await service.kill('SIGKILL')
  const diedMs = Date.now()
  // Somebody with a terminal sees it while nobody is there to note it.
  const now = await waitFor(async () => (await asked('outages')).now, { what: 'the outage to be seen' })
  expect(now).toMatchObject({ affected: 'all' })
  await waitFor(() => Date.now() > diedMs + DEAD_MS, { what: 'the outage to last' })
  const startedMs = Date.now()
  await service.restart()
  await service.ready()
  const readyMs = Date.now()

  // Looked for in the store: a command takes seconds.
  await waitFor(async () => (await readdir(join(service.dataDir, 'store/outages')).catch(() => [])).length > 0, {
    what: 'the entry',
  })
  const { outages } = (await asked('outages')) as { outages: Entry[] }
  const [entry] = outages
  if (entry === undefined || outages.length !== 1) throw new Error(`entries: ${JSON.stringify(outages)}`)
  expect(entry.affected).toBe('all')
  expect(Math.abs(Date.parse(entry.from) - diedMs)).toBeLessThanOrEqual(2 * BEAT_MS)
  expect(Date.parse(entry.to)).toBeGreaterThanOrEqual(startedMs)
  expect(Date.parse(entry.to)).toBeLessThanOrEqual(readyMs + 2 * BEAT_MS)

  const verified = await stack.call('POST', '/v1/receipts/verify', { receipt: entry.receipt }, null)
  expect(JSON.parse(verified.text)).toMatchObject({ valid: true, kind: 'outage', claims: { outage: entry.id } })

  const extend = ['extend-deadline', '--for-outage', entry.id, '--yes']
  const folder = mkdtempSync(join(stack.service.dataDir, 'faults-'))
  writeFileSync(join(folder, 'armed'), 'version.created 2 killed')
  expect(await songngan(extend, { FAULT_POINTS: folder })).toMatchObject({ signal: 'SIGKILL' })
  const { moved, already, failed } = await asked(...extend)
  expect([moved.length, already.length, failed.length]).toEqual([1, 2, 0])
  const minute = 60_000
  const expected = Math.ceil((Date.parse(entry.to) + 60 * minute) / minute) * minute
  const after = SUBMISSIONS.map(() => new Date(expected).toISOString())
  expect(await deadlines()).toEqual(after)
  const [again, unknown] = await Promise.all([
    asked(...extend),
    songngan(['extend-deadline', '--for-outage', '20200101T000000Z-all']),
  ])
  expect([again.moved.length, again.already.length]).toEqual([0, 3])
  expect(await deadlines()).toEqual(after)
  expect(unknown.code).toBe(3)
})
