import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PersonalHash } from '../../../src/core/personal-hash.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { putSubmission } from '../../../src/submissions/put-submission.ts'
import { formerName, UniqueKeys } from '../../../src/submissions/unique-keys.ts'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment, TICKET_SECRET } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const attempt = (id: string, uniqueKey: string | null) =>
  h.call('PUT', `/v1/submissions/${id}`, { body: { profile: 'tiny@1', uniqueKey } })
const reservationsOf = async (key: string) => {
  const keys: string[] = []
  for (const name of h.deps.uniqueKeys.namesOf('portal', key))
    for await (const found of h.deps.store.list(objectKeys.uniqueKey('portal', name))) keys.push(found.key)
  return keys.length
}

describe('uniqueKey', () => {
  it('belongs to the first active submission that sets it', async () => {
    await h.put('first', { uniqueKey: 'ครู 1/K2/2569' })
    const refused = await attempt('second', 'ครู 1/K2/2569')
    expectProblem(refused, 'SUBMISSION_DUPLICATE', { details: { existingId: 'first' } })
    expectProblem(await h.call('GET', '/v1/submissions/second'), 'SUBMISSION_UNKNOWN')
    expect((await attempt('first', 'ครู 1/K2/2569')).status).toBe(200)
    expect(await reservationsOf('ครู 1/K2/2569')).toBe(1)
    expect((await h.put('first', { uniqueKey: 'ครู 1/K2/2569' }, OTHER_KEY)).status).toBe(201)
  })

  it('goes to exactly one of many concurrent requests', async () => {
    const ids = Array.from({ length: 6 }, (_, i) => `rival-${i}`)
    const answers = await Promise.all(ids.map((id) => attempt(id, 'rivals')))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
    const winner = ids[answers.findIndex(({ status }) => status === 201)]
    for (const { status, body } of answers) if (status === 409) expect(body['existingId']).toBe(winner)
  })

  it('is released when it changes, and with the submission', async () => {
    await h.put('changer', { uniqueKey: 'old' })
    await h.put('changer', { uniqueKey: 'new' })
    expect((await attempt('taker', 'old')).status).toBe(201)
    expectProblem(await attempt('changer', 'old'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'taker' },
    })
    expect((await h.call('GET', '/v1/submissions/changer')).body['uniqueKey']).toBe('new')
    await h.put('changer', { uniqueKey: null })
    expect((await attempt('taker', 'new')).status).toBe(200)
    await h.call('DELETE', '/v1/submissions/taker')
    expect((await attempt('third', 'new')).status).toBe(201)
  })

  it('is not kept by a refused PUT', async () => {
    await h.put('refused')
    await h.deps.heads.commit('portal', 'refused', (head) => head && { ...head, state: 'sealed' })
    expectProblem(await attempt('refused', 'wanted'), 'SUBMISSION_SEALED', { status: 409 })
    expect((await attempt('not-refused', 'wanted')).status).toBe(201)
  })

  it('stays with the submission that won it, when a PUT of the same one is refused', async () => {
    const asked = { body: { profile: 'tiny@1', uniqueKey: 'doubled' }, headers: { 'if-none-match': '*' } }
    const create = () => h.call('PUT', '/v1/submissions/doubled', asked)
    const { uniqueKeys } = h.deps
    // The other one is created between the reservation and the head.
    const overtaken = {
      reserve: async (owner: string, key: string, id: string) => {
        await uniqueKeys.reserve(owner, key, id)
        expect((await create()).status).toBe(201)
      },
      confirm: (owner: string, key: string, id: string) => uniqueKeys.confirm(owner, key, id),
      release: (owner: string, key: string, id: string) => uniqueKeys.release(owner, key, id),
    } as unknown as typeof uniqueKeys
    const late = putSubmission({ ...h.deps, uniqueKeys: overtaken }, 'portal', 'doubled', asked.body, 0)
    await expect(late).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expectProblem(await attempt('single', 'doubled'), 'SUBMISSION_DUPLICATE', { details: { existingId: 'doubled' } })
  })

  it('stays with a submission that took it back while it was giving it away', async () => {
    await h.put('to-and-fro', { uniqueKey: 'kept' })
    const { uniqueKeys } = h.deps
    const slow = {
      reserve: (owner: string, key: string, id: string) => uniqueKeys.reserve(owner, key, id),
      confirm: (owner: string, key: string, id: string) => uniqueKeys.confirm(owner, key, id),
      release: async (owner: string, key: string, id: string) => {
        expect((await attempt('to-and-fro', 'kept')).status).toBe(200)
        await uniqueKeys.release(owner, key, id)
      },
    } as unknown as typeof uniqueKeys
    await putSubmission({ ...h.deps, uniqueKeys: slow }, 'portal', 'to-and-fro', { profile: 'tiny@1', uniqueKey: null })
    expectProblem(await attempt('single-2', 'kept'), 'SUBMISSION_DUPLICATE', { details: { existingId: 'to-and-fro' } })
  })

  it('reserved for a submission that was never created is free again after some time', async () => {
    // A process that died between the reservation and the head.
    await h.deps.uniqueKeys.reserve('portal', 'orphan', 'never')
    expectProblem(await attempt('finder', 'orphan'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'never' },
    })
    h.clock.ms += 60_000
    expect((await attempt('finder', 'orphan')).status).toBe(201)
    // The one that was believed dead comes back: it must not have the key too.
    await expect(h.deps.uniqueKeys.confirm('portal', 'orphan', 'never')).rejects.toMatchObject({
      code: 'SUBMISSION_DUPLICATE',
    })
    expectProblem(await attempt('never', 'orphan'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'finder' },
    })
  })

  it('of a submission whose deletion was interrupted is free immediately', async () => {
    await h.put('cut-short', { uniqueKey: 'cut' })
    await h.deps.heads.commit('portal', 'cut-short', (head) => head && { ...head, state: 'deleted' })
    expect((await attempt('next', 'cut')).status).toBe(201)
  })

  it('lost during a delayed PUT does not belong to two submissions', async () => {
    const { uniqueKeys } = h.deps
    const stalled = {
      reserve: async (owner: string, key: string, id: string) => {
        await uniqueKeys.reserve(owner, key, id)
        h.clock.ms += 60_000
        expect((await attempt('quick', key)).status).toBe(201)
      },
      confirm: (owner: string, key: string, id: string) => uniqueKeys.confirm(owner, key, id),
      release: (owner: string, key: string, id: string) => uniqueKeys.release(owner, key, id),
    } as unknown as typeof uniqueKeys
    const body = { profile: 'tiny@1', uniqueKey: 'contested' }
    await expect(putSubmission({ ...h.deps, uniqueKeys: stalled }, 'portal', 'slow', body)).rejects.toMatchObject({
      code: 'SUBMISSION_DUPLICATE',
      details: { existingId: 'quick' },
    })
    expectProblem(await h.call('GET', '/v1/submissions/slow'), 'SUBMISSION_UNKNOWN')
    expect((await attempt('quick', 'contested')).status).toBe(200)
  })

  it('reserved by a PUT that is repeated after a crash stays its own', async () => {
    await h.deps.uniqueKeys.reserve('portal', 'repeat', 'repeated')
    expect((await attempt('repeated', 'repeat')).status).toBe(201)
  })
})

describe('names of unique keys in the store', () => {
  const NEXT_SECRET = 'another-ticket-secret-of-more-than-32-characters'
  const namesInStore = async () => {
    const names = new Set<string>()
    for await (const { key } of h.deps.store.list(objectKeys.uniqueKeys)) names.add(key.split('/')[2] ?? '')
    return names
  }
  const under = (...secrets: [string, ...string[]]) =>
    new UniqueKeys({ ...h.deps, personalHash: new PersonalHash(secrets), formerVersionRuns: () => false })
  /** What a former version leaves behind. */
  const formerClaim = async (id: string, key: string) => {
    await h.commitHead(id, { uniqueKey: key })
    const claim = { version: 1, nonce: 'n', committedAt: new Date(h.clock.ms).toISOString(), submissionId: id }
    const name = `${objectKeys.uniqueKey('portal', formerName(key))}000001.json`
    await h.deps.store.createIfAbsent(name, Buffer.from(JSON.stringify(claim)))
  }
  it('tell nobody who has no secret what was hashed', async () => {
    await h.put('keyed', { uniqueKey: '1103700990007' })
    expect(await namesInStore()).not.toContain(formerName('1103700990007'))
    expect(await reservationsOf('1103700990007')).toBe(1)
    const [own = ''] = h.deps.uniqueKeys.namesOf('portal', '1103700990007')
    const [others = ''] = h.deps.uniqueKeys.namesOf('other', '1103700990007')
    expect(own).not.toBe(others)
  })

  it('of a former version count, and are replaced by keyed ones', async () => {
    await formerClaim('before-1', 'held before')
    expectProblem(await attempt('after-1', 'held before'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'before-1' },
    })
    expect(await h.deps.uniqueKeys.renew()).toBe(1)
    expect(await namesInStore()).not.toContain(formerName('held before'))
    expectProblem(await attempt('after-1', 'held before'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'before-1' },
    })
    await h.call('DELETE', '/v1/submissions/before-1')
    expect((await attempt('after-1', 'held before')).status).toBe(201)
  })

  it('of a former version are used beside keyed ones while one of its processes runs', async () => {
    const beside = new UniqueKeys({ ...h.deps, formerVersionRuns: () => true })
    await h.commitHead('meanwhile', { uniqueKey: 'during the upgrade' })
    await beside.reserve('portal', 'during the upgrade', 'meanwhile')
    expect(await namesInStore()).toContain(formerName('during the upgrade'))
    await beside.renew()
    expect(await namesInStore()).toContain(formerName('during the upgrade'))
    expect(await h.deps.uniqueKeys.renew()).toBe(1)
    expect(await namesInStore()).not.toContain(formerName('during the upgrade'))
    expectProblem(await attempt('meanwhile-2', 'during the upgrade'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'meanwhile' },
    })
  })

  it('are found by every process while the secret changes, and under the new one alone after it', async () => {
    await h.put('rotated', { uniqueKey: 'rotating' })
    const refused = (keys: UniqueKeys) => keys.reserve('portal', 'rotating', 'rotated-2')
    await expect(refused(under(TICKET_SECRET))).rejects.toMatchObject({ code: 'SUBMISSION_DUPLICATE' })
    await expect(refused(under(NEXT_SECRET, TICKET_SECRET))).rejects.toMatchObject({ code: 'SUBMISSION_DUPLICATE' })
    await under(NEXT_SECRET, TICKET_SECRET).renew()
    await expect(refused(under(NEXT_SECRET))).rejects.toMatchObject({ code: 'SUBMISSION_DUPLICATE' })
    await expect(refused(under(TICKET_SECRET))).rejects.toMatchObject({ code: 'SUBMISSION_DUPLICATE' })
    await under(NEXT_SECRET).renew()
    const old = under(TICKET_SECRET).namesOf('portal', 'rotating')
    expect([...(await namesInStore())].filter((name) => old.includes(name))).toEqual([])
    await expect(refused(under(NEXT_SECRET))).rejects.toMatchObject({ code: 'SUBMISSION_DUPLICATE' })
    await under(TICKET_SECRET).renew() // as it was, for whoever comes next
  })

  it('that were released are gone after a day', async () => {
    await h.put('short-lived', { uniqueKey: 'released' })
    await h.call('DELETE', '/v1/submissions/short-lived')
    const [name = ''] = h.deps.uniqueKeys.namesOf('portal', 'released')
    await h.deps.uniqueKeys.renew()
    expect(await namesInStore()).toContain(name)
    h.clock.ms += 86_401_000
    await h.deps.uniqueKeys.renew()
    expect(await namesInStore()).not.toContain(name)
  })

  it('that no submission has are released, and gone after a day', async () => {
    // A process that died between the reservation and the head, and one that died before it released the earlier key.
    await h.deps.uniqueKeys.reserve('portal', 'never created', 'nobody')
    await h.put('moved-on', { uniqueKey: 'had before' })
    await h.commitHead('moved-on', { uniqueKey: 'has now' })
    await h.deps.uniqueKeys.reserve('portal', 'has now', 'moved-on')
    const [name = ''] = h.deps.uniqueKeys.namesOf('portal', 'never created')
    const [before = ''] = h.deps.uniqueKeys.namesOf('portal', 'had before')
    const [now = ''] = h.deps.uniqueKeys.namesOf('portal', 'has now')
    await h.deps.uniqueKeys.renew()
    // It may still be under way.
    await h.deps.uniqueKeys.confirm('portal', 'never created', 'nobody')
    for (const passed of [61_000, 86_401_000]) {
      h.clock.ms += passed
      await h.deps.uniqueKeys.renew()
    }
    const left = await namesInStore()
    expect([name, before, now].map((one) => left.has(one))).toEqual([false, false, true])
    expectProblem(await attempt('moved-on-2', 'has now'), 'SUBMISSION_DUPLICATE', {
      details: { existingId: 'moved-on' },
    })
  })

  it('that somebody reserves while they are removed are theirs', async () => {
    await h.put('goes', { uniqueKey: 'passed on' })
    await h.call('DELETE', '/v1/submissions/goes')
    h.clock.ms += 86_401_000
    const [name = ''] = h.deps.uniqueKeys.namesOf('portal', 'passed on')
    const store = new Proxy(h.deps.store, {
      get(target, member) {
        if (member === 'read')
          return async (key: string) => {
            const body = await target.read(key)
            if (key.includes(name)) await h.put('comes', { uniqueKey: 'passed on' })
            return body
          }
        const value: unknown = Reflect.get(target, member)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    await new UniqueKeys({ ...h.deps, store, formerVersionRuns: () => false }).renew()
    expectProblem(await attempt('too-late', 'passed on'), 'SUBMISSION_DUPLICATE', { details: { existingId: 'comes' } })
  })
})
