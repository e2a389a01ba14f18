// Two real services at the end of a deadline: their machines' clocks are five minutes apart, and both are killed in the middle of a
// seal. `npm run deadline` does the latter with ten thousand submissions.

import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FaultPoint } from '../../../src/core/fault-points.ts'
import { AFTER_CLOSE_MS } from '../../../src/records/deadline-steps.ts'
import { type KillableProcess, startKillable } from '../../../tools/chaos/stage/killable.ts'
import { SHIFTED_CLOCK } from '../../../tools/chaos/troubles/clock.ts'
import { type Environment, OWNER, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'

/** Of each clock, to either side of Redis'. */
const APART_MS = 150_000
/** More than a service takes at once, so that the other has some to do too. */
const SUBMISSIONS = 40
const SOON_MS = 3000

let h: Environment
let dir: string
let services: [KillableProcess, KillableProcess]
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'songngan-deadline-'))
  h = await openEnvironment({ listens: false, appendOnly: true })
  const { PORT: _, ...shared } = h.env
  const start = async (shiftMs: number): Promise<KillableProcess> => {
    const env = { ...shared, CLOCK_SKEW_LIMIT_SECONDS: '7200' }
    const service = await startKillable('service', dir, {
      env,
      beforeStart: () => Promise.resolve(),
      preload: [SHIFTED_CLOCK],
    })
    await writeFile(join(service.folder, 'clock'), String(shiftMs))
    return service
  }
  services = [await start(APART_MS), await start(-APART_MS)]
  for (const service of services) await service.ready()
})
afterAll(async () => {
  for (const service of services ?? []) await service.stop()
  await h?.close()
  rmSync(dir, { recursive: true, force: true })
})

const head = (id: string) => h.deps.heads.fromStore(OWNER, id)
const isSealed = async (id: string) => (await head(id))?.state === 'sealed'

/** Complete ones, whose deadlines are set now, at one service after the other, to be soon. */
async function endSoon(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await h.put(id)
    await h.acceptedUpload(id, 'plan')
  }
  for (const [i, id] of ids.entries()) {
    const deadline = new Date(Date.now() + SOON_MS).toISOString()
    const body = { profile: 'tiny@1', deadline, sealAtDeadline: true }
    let turn = i
    // On a busy machine the first may be sealed, and their services killed, before the last is put: then the other one is asked, and
    // what was put already may be sealed (409).
    await waitFor(async () => [200, 409].includes((await put(services[turn++ % 2], id, body)) ?? 0), {
      what: `PUT ${id}`,
    })
  }
}

/** The status of the answer; undefined: the service died. */
async function put(service: KillableProcess | undefined, id: string, body: object): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${PORTAL_KEY}`, 'content-type': 'application/json' }
  const url = `${service?.url}/v1/submissions/${id}`
  const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) }).catch(() => undefined)
  await answer?.arrayBuffer().catch(() => undefined)
  return answer?.status
}

/** Sealed once, told once, and not before its time by the clock of Redis. */
async function expectSealedOnce(ids: readonly string[]): Promise<void> {
  await waitFor(async () => (await Promise.all(ids.map(isSealed))).every(Boolean), { what: 'all to be sealed' })
  // What a process committed and did not tell, another tells.
  const sealsToldOf = async (id: string) =>
    (await h.eventsOf(id)).filter(({ type }) => type === 'submission.sealed').length
  await waitFor(async () => (await Promise.all(ids.map(sealsToldOf))).every((seals) => seals > 0), {
    what: 'all seals to be told',
  })
  for (const id of ids) {
    const seals = (await h.deps.heads.versions(OWNER, id)).filter(({ event }) => event === 'submission.sealed')
    const [{ committedAt = '', deadline = '', revisions = [] } = {}] = seals
    expect([seals.length, await sealsToldOf(id), revisions.length], id).toEqual([1, 1, 1])
    expect(revisions[0], id).toMatchObject({ sealedBy: 'deadline', uploads: { plan: [expect.any(String)] } })
    expect(Date.parse(committedAt) - Date.parse(deadline ?? ''), id).toBeGreaterThanOrEqual(AFTER_CLOSE_MS)
    // The time of a seal is that of Redis, too: a clock that is ahead would have written one that is still to come.
    expect(Date.parse(committedAt), id).toBeLessThanOrEqual(Date.now())
  }
}

it('services whose clocks are five minutes apart end a deadline at the same time: that of Redis', async () => {
  const ids = ['apart-1', 'apart-2', 'apart-3', 'apart-4']
  await endSoon(ids)
  await expectSealedOnce(ids)
})

it('services that are killed in the middle of a seal, before and after its commit: each is sealed once', async () => {
  const points: [FaultPoint, FaultPoint] = ['seal.committed', 'seal.before-commit']
  const wasHit = services.map((service, i) => service.arm(points[i] ?? 'seal.committed'))
  const ids = Array.from({ length: SUBMISSIONS }, (_, i) => `killed-${i}`)
  await endSoon(ids)
  await expectSealedOnce(ids)
  expect(wasHit.map((hit) => hit())).toEqual([true, true])
})
