// The same file in another person's hand-in: told to reviewers and operators alone, as long as both are there.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import { SameContent } from '../../../src/submissions/same-content.ts'
import { supportRecord } from '../../../src/support/case-file.ts'
import { inspectWork } from '../../../workers/lanes/inspect.ts'
import { validateWork } from '../../../workers/lanes/validate.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { PORTAL_KEY } from '../../support/environment-calls.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { pdf } from '../../support/media/pdfs.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
let corpus: Corpus
beforeAll(async () => {
  corpus = await createCorpus()
  h = await openStillEnvironment({ WORKER_LANES: 'validate,inspect' })
})
afterAll(async () => {
  await h?.close()
  await corpus?.remove()
})

const CODE = 'DUPLICATE_ELSEWHERE'
const review = (id: string, token = PORTAL_KEY) => h.call('GET', `/v1/submissions/${id}/review`, { token })
const problems = async (id: string) => (await review(id)).body['problems'] as Record<string, unknown>[]
const others = async (id: string) => (await problems(id)).map(({ actual }) => actual)
const sha = (letter: string) => letter.repeat(64)

/** Handed in, with a file that was read by a worker that died before it did anything more. */
const handIn = async (id: string, sha256: string, { person, subject, profile = 'tiny@1' }: Who = {}) => {
  await h.put(id, { profile, ...(person === undefined ? {} : { person }) })
  const plan = await h.acceptedUpload(id, 'plan', { subject: subject ?? null })
  await h.reach(plan.id, 'ready', { sha256 })
  await inspectWork(h.deps).after(await h.latest(plan.id))
  return plan.id
}
type Who = { person?: string; subject?: string; profile?: string }

const entries = async () => {
  const keys: string[] = []
  for await (const { key } of h.deps.store.list('contents/')) keys.push(key)
  return keys
}

describe('a file that two persons handed in', () => {
  it('is a problem of both, with the other submission, from the bytes on', async () => {
    const files: string[] = []
    for (const id of ['w-1', 'w-2']) {
      await h.put(id)
      const file = await h.upload(await pdf(corpus, 'plan'), {
        submissionId: id,
        slot: 'plan',
        subject: id,
        queue: false,
      })
      await h.once(validateWork(h.deps), h.deps, file)
      await h.once(inspectWork(h.deps), h.deps, file)
      expect((await h.latest(file)).problems).toEqual([])
      files.push(file)
    }
    const [first = '', second = ''] = files
    const { storedAt } = await h.latest(second)
    expect(await problems('w-1')).toEqual([
      {
        code: CODE,
        severity: 'advise',
        actual: 'w-2',
        message: { th: expect.stringContaining('w-2'), en: expect.stringContaining('w-2') },
        upload: first,
        slot: 'plan',
        other: { submissionId: 'w-2', upload: second, slot: 'plan', storedAt },
      },
    ])
    expect(await others('w-2')).toEqual(['w-1'])
  })

  it('is told to operators too', async () => {
    const file = await supportRecord(h.deps, 'portal', 'w-1')
    expect(file?.uploads[0]?.problems).toMatchObject([{ code: CODE, actual: 'w-2' }])
  })

  it('is told to nobody else: in no document, event or session of whoever hands in', async () => {
    await h.call('POST', '/v1/submissions/w-1/seal')
    const token = await h.session('w-1', { can: ['read', 'upload', 'seal'] })
    const reviewer = await h.session('w-1', { can: ['read', 'review'] })
    const documents = ['', '?expand=uploads', '/uploads', '/attempts'].map((rest) => `/v1/submissions/w-1${rest}`)
    const [file = ''] = (await h.deps.heads.uploadIds('portal', 'w-1')) ?? []
    for (const path of [...documents, `/v1/uploads/${file}`, `/v1/uploads/${file}/receipt`, '/v1/submissions'])
      for (const by of [PORTAL_KEY, token, reviewer]) {
        const { text } = await h.call('GET', path, { token: by })
        expect(text).not.toContain(CODE)
        if (by !== PORTAL_KEY) expect(text).not.toContain('w-2')
      }
    expect(JSON.stringify(await h.events())).not.toContain(CODE)
    expectProblem(await review('w-1', token), 'SESSION_SCOPE', { status: 403 })
    expect((await review('w-1', reviewer)).body['problems']).toHaveLength(1)
    expectProblem(await review('w-2', reviewer), 'SUBMISSION_UNKNOWN')
    expectProblem(await review('none'), 'SUBMISSION_UNKNOWN')
  })
})

describe('is no problem', () => {
  it('where the same person uses it again, under whatever profile', async () => {
    await handIn('p-1', sha('1'), { subject: 'somying' })
    await handIn('p-2', sha('1'), { subject: 'somying' })
    expect(await others('p-1')).toEqual([])
  })

  it('where an office uploads for a person; for two persons it is one', async () => {
    await handIn('o-1', sha('2'), { subject: 'office', person: 'somying' })
    await handIn('o-2', sha('2'), { subject: 'somying' })
    expect([await others('o-1'), await others('o-2')]).toEqual([[], []])
    await handIn('o-3', sha('2'), { subject: 'office', person: 'bupha' })
    expect((await others('o-3')).toSorted()).toEqual(['o-1', 'o-2'])
  })

  it('in another profile, portal or slot of its own; in a new version of the profile it is one', async () => {
    await handIn('e-1', sha('3'))
    await handIn('e-2', sha('3'), { profile: 'intake@1' })
    expect(await others('e-1')).toEqual([])
    const body = { profile: 'tiny@1' }
    await h.call('PUT', '/v1/submissions/e-2', { body })
    expect(await others('e-1')).toEqual(['e-2'])
    expect((await review('e-1', 'other-secret-0123456789')).status).toBe(404)
  })

  it('once either of them does not count any more: rejected, replaced or erased', async () => {
    const mine = await handIn('r-1', sha('4'))
    const rejected = await handIn('r-2', sha('4'))
    const replaced = await handIn('r-3', sha('4'))
    const erased = await handIn('r-4', sha('4'))
    await handIn('r-5', sha('4'))
    expect((await others('r-1')).toSorted()).toEqual(['r-2', 'r-3', 'r-4', 'r-5'])
    await h.reach(rejected, 'rejected')
    h.clock.ms += 1000
    await h.acceptedUpload('r-3', 'plan', { replaces: replaced })
    expect((await h.call('DELETE', `/v1/uploads/${erased}`)).status).toBe(204)
    expect((await h.call('DELETE', '/v1/submissions/r-5')).status).toBe(204)
    expect(await others('r-1')).toEqual([])
    await h.acceptedUpload('r-1', 'plan', { replaces: mine })
    expect(await problems('r-1')).toEqual([])
  })
})

describe('the index', () => {
  it('says nothing to a stranger, and is found after a loss of Redis and by other processes', async () => {
    const file = await handIn('i-1', sha('5'))
    await handIn('i-2', sha('5'))
    const keys = (await entries()).filter((key) => key.endsWith(file))
    expect(keys).toHaveLength(1)
    expect(keys[0]).toMatch(/^contents\/portal\/[\w-]{43}\/[a-z2-7]{40}$/)
    for (const guess of [sha('5'), Buffer.from(sha('5'), 'hex').toString('base64url')])
      expect(keys[0]).not.toContain(guess)
    await h.deps.redis.hot.flushall()
    await h.deps.rebuilder.heal()
    expect(await others('i-1')).toEqual(['i-2'])
    const another = new SameContent(h.deps)
    const found: string[] = []
    for await (const { submissionId } of another.others(await h.latest(file))) found.push(submissionId ?? '')
    expect(found).toEqual(['i-2'])
  })

  it('forgets what is erased, also where its process dies before the tombstone', async () => {
    const file = await handIn('f-1', sha('6'))
    const { store } = h.deps
    const { createIfAbsent } = store
    let dying = true
    store.createIfAbsent = (key, body) =>
      dying && key.includes(`${file}/record-`) && body.includes('erasedAt')
        ? Promise.reject(new Error('this process dies'))
        : createIfAbsent.call(store, key, body)
    expect((await h.call('DELETE', `/v1/uploads/${file}`)).status).toBe(500)
    dying = false
    await h.deps.hot.setDue(file, h.clock.ms)
    await h.deps.reconciler.tick()
    Object.assign(store, { createIfAbsent })
    expect((await h.latest(file)).erasedAt).toBeDefined()
    expect((await entries()).filter((key) => key.endsWith(file))).toEqual([])
  })

  it('is not written by a worker that comes after the erasure', async () => {
    const file = await handIn('f-2', sha('7'))
    const read = await h.latest(file)
    await h.call('DELETE', '/v1/submissions/f-2')
    await h.deps.sameContent.add(read)
    expect((await entries()).filter((key) => key.endsWith(file))).toEqual([])
  })

  it('is as good as none where its entries are wrong', async () => {
    const file = await handIn('x-1', sha('8'))
    const [key = ''] = (await entries()).filter((entry) => entry.endsWith(file))
    const foreign = await handIn('x-2', sha('9'))
    await h.deps.store.createIfAbsent(key.replace(file, foreign), Buffer.alloc(0))
    await h.deps.store.createIfAbsent(key.replace(file, 'nonsense'), Buffer.alloc(0))
    expect(await problems('x-1')).toEqual([])
  })
})

it('a template that hundreds hand in is told twenty times', async () => {
  for (let i = 0; i < 23; i++) await handIn(`t-${i}`, sha('b'))
  expect(await others('t-0')).toHaveLength(20)
})

it('the key of the index is kept, and made once by many processes', async () => {
  const before = await h.deps.store.read(objectKeys.contentKey)
  expect(before).toHaveLength(32)
  const record = await h.latest(await handIn('k', sha('c')))
  await Promise.all([1, 2, 3].map(async () => await new SameContent(h.deps).add(record)))
  expect(await h.deps.store.read(objectKeys.contentKey)).toEqual(before)
})
