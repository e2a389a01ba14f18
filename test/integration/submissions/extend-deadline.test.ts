// Deadlines moved by an operator after an outage: of those that fit, once for each name, in force at once.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import {
  type ExtensionFilter,
  extendDeadline,
  findExtensions,
  moveBy,
} from '../../../src/submissions/extend-deadline.ts'
import { START } from '../../support/clock.ts'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'

const HOUR = 3_600_000
const DEADLINE = START + 24 * HOUR

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const deadline = isoTime(DEADLINE)
const found = async (filter: ExtensionFilter, name = 'x'): Promise<string[]> => {
  const ids: string[] = []
  for await (const one of findExtensions(h.deps, filter, moveBy(HOUR, name)))
    ids.push(`${one.owner}/${one.submissionId}${one.already ? ' again' : ''}`)
  return ids.toSorted()
}
const document = async (id: string) => (await h.call('GET', `/v1/submissions/${id}`)).body

it('finds open submissions that match, of every portal', async () => {
  await h.put('fit-1', { deadline })
  await h.put('fit-2', { deadline: isoTime(DEADLINE + HOUR) })
  await h.put('without')
  await h.put('fit-1', { deadline }, OTHER_KEY)
  await h.put('gone', { deadline })
  await h.call('DELETE', '/v1/submissions/gone')
  expect(await found({})).toEqual(['other/fit-1', 'portal/fit-1', 'portal/fit-2'])
  expect(await found({ owner: 'portal' })).toEqual(['portal/fit-1', 'portal/fit-2'])
  expect(await found({ submissionId: 'fit-1' })).toEqual(['other/fit-1', 'portal/fit-1'])
  expect(await found({ dueUntilMs: DEADLINE })).toEqual(['other/fit-1', 'portal/fit-1'])
  expect(await found({ dueFromMs: DEADLINE + 1 })).toEqual(['portal/fit-2'])
  expect(await found({ profile: 'tiny' })).toHaveLength(3)
  expect(await found({ profile: 'tiny@1' })).toHaveLength(3)
  expect(await found({ profile: 'tin' })).toEqual([])
})

it('extends each deadline once per name, with repeated and concurrent calls', async () => {
  await h.put('once', { deadline })
  const one = { owner: 'portal', submissionId: 'once' }
  const moves = await Promise.all([1, 2, 3].map(() => extendDeadline(h.deps, one, moveBy(2 * HOUR, 'outage'))))
  expect(moves.filter((head) => head !== undefined)).toHaveLength(1)
  expect(await document('once')).toMatchObject({ deadline: isoTime(DEADLINE + 2 * HOUR) })
  expect(await found({ submissionId: 'once' }, 'outage')).toEqual(['portal/once again'])
  expect(await extendDeadline(h.deps, one, moveBy(HOUR, 'second outage'))).toMatchObject({
    deadline: isoTime(DEADLINE + 3 * HOUR),
    extensions: ['outage', 'second outage'],
  })
  // The portal is believed, and what was moved stays noted.
  await h.put('once', { deadline })
  expect(await document('once')).toMatchObject({ deadline })
  expect(await extendDeadline(h.deps, one, moveBy(2 * HOUR, 'outage'))).toBeUndefined()
})

it('makes late files count, and accepts new uploads', async () => {
  await h.put('late', { deadline })
  const ticket = () => h.call('POST', '/v1/submissions/late/tickets', { body: { slot: 'plan' } })
  const one = await h.beginUpload('late', 'plan')
  h.clock.ms = DEADLINE + HOUR
  await h.storeUpload(one)
  await h.judgeUpload(one.id, 'accepted')
  expect((await ticket()).body).toMatchObject({ code: 'DEADLINE_PASSED' })
  const plan = async () =>
    (((await document('late'))['slots'] ?? []) as { slot: string; counted: string[] }[]).find(
      ({ slot }) => slot === 'plan',
    )
  expect((await plan())?.counted).toEqual([])
  await extendDeadline(h.deps, { owner: 'portal', submissionId: 'late' }, moveBy(2 * HOUR, 'o'))
  expect((await plan())?.counted).toEqual([one.id])
  expect((await h.call('GET', `/v1/uploads/${one.id}`)).body).toMatchObject({ late: false })
  h.clock.ms = START
})

it('does not change sealed submissions, and extends the repair period of returned ones', async () => {
  await h.put('sealed', { deadline })
  const all = ['plan', 'film', 'extra']
  const slots = ((await document('sealed'))['missing'] ?? all) as string[]
  for (const slot of slots) await h.acceptedUpload('sealed', slot)
  expect((await h.call('POST', '/v1/submissions/sealed/seal')).status).toBe(200)
  const one = { owner: 'portal', submissionId: 'sealed' }
  expect(await found({ submissionId: 'sealed' })).toEqual([])
  expect(await extendDeadline(h.deps, one, moveBy(HOUR, 'o'))).toBeUndefined()
  const repairUntil = isoTime(DEADLINE + 48 * HOUR)
  const body = { reason: 'mend it', repairUntil }
  expect((await h.call('POST', '/v1/submissions/sealed/return', { body })).status).toBe(200)
  const moved = await extendDeadline(h.deps, one, moveBy(HOUR, 'o'))
  expect(moved?.revisions).toMatchObject([{ revision: 1, repairUntil: isoTime(DEADLINE + 49 * HOUR) }])
})
