// Twenty uploads of one submission that end in the same second at two services: nothing is updated when one ends, so that
// nothing can be lost between two of them, and the document is right whenever and wherever it is read.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EventEnvelope } from '../../../src/records/event-body.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { refreshCompleteness } from '../../../src/submissions/completeness.ts'
import type { SubmissionDocument } from '../../../src/submissions/document/schemas.ts'
import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { testProfile } from '../../support/profiles.ts'
import { reached } from '../../support/records.ts'
import { at, idOf, tusUser } from '../../support/tus.ts'

const FILES = 20
const BYTES = 60_000
const SUBMISSION = 'twenty'
/** One slot that asks for all twenty. */
const PROFILE: ProfileData = {
  ...testProfile(),
  id: 'many',
  slots: [
    {
      id: 'works',
      label: { th: 'ผลงาน', en: 'Works' },
      domain: 'd1',
      min: FILES,
      max: FILES,
      media: [{ kind: 'pdf' }],
    },
  ],
}

let houses: Environment[] = []
beforeAll(async () => {
  const first = await openEnvironment({ profiles: [PROFILE] })
  houses = [first, await openEnvironment({ redis: first.redis, dataDir: first.dataDir })]
})
afterAll(async () => {
  for (const stack of houses.reverse()) await stack.close()
})

const stack = (i: number): Environment => {
  const found = houses[i % houses.length]
  if (found === undefined) throw new Error('no stack')
  return found
}

const pdf = (i: number) =>
  Buffer.concat([Buffer.from(`%PDF-1.7\n% ${i}\n`), Buffer.alloc(BYTES, 65)]).subarray(0, BYTES)

const read = async (i: number): Promise<SubmissionDocument> =>
  (await stack(i).call('GET', `/v1/submissions/${SUBMISSION}`)).body as unknown as SubmissionDocument

/** What must hold of every document, at whatever moment it was read. */
function expectSound(document: SubmissionDocument, ids: ReadonlySet<string>, accepted: ReadonlySet<string>) {
  const [slot] = document.slots
  if (slot === undefined) throw new Error('no slot')
  expect(new Set(slot.uploads)).toEqual(ids)
  expect(slot.uploads).toHaveLength(FILES)
  expect(new Set(slot.counted).size).toBe(slot.counted.length)
  // Whoever was told of an acceptance before it asked, finds it.
  for (const id of accepted) expect(slot.counted).toContain(id)
  const all = slot.counted.length === FILES
  expect(document.complete).toBe(all)
  expect(slot.state === 'accepted').toBe(all)
  if (all) expect({ missing: document.missing, pending: document.pending }).toEqual({ missing: [], pending: [] })
  else expect([...document.missing, ...document.pending]).toEqual(expect.arrayContaining(['works']))
  expect(document.revisions).toEqual([
    { revision: 1, uploads: slot.counted.length === 0 ? {} : { works: slot.counted } },
  ])
}

it('all uploads are in every read, and exactly one completes the submission', async () => {
  const put = await stack(0).call('PUT', `/v1/submissions/${SUBMISSION}`, { body: { profile: 'many@1' } })
  expect(put.status).toBe(201)
  const token = await stack(0).ticket(SUBMISSION, 'works')
  const users = houses.map(({ url }) => tusUser(url, token))
  const urls: string[] = []
  for (let i = 0; i < FILES; i++) {
    const user = users[i % users.length]
    if (user === undefined) throw new Error('no user')
    urls.push(await user.create({ length: BYTES, name: `${i}.pdf`, type: 'application/pdf' }))
  }
  const ids = new Set(urls.map(idOf))

  const accepted = new Set<string>()
  let reading = true
  const readers = houses.map(async (_, i) => {
    let sequence = 0
    let reads = 0
    while (reading) {
      const before = new Set(accepted)
      const document = await read(i)
      expectSound(document, ids, before)
      expect(document.sequence).toBeGreaterThanOrEqual(sequence)
      sequence = document.sequence
      reads++
    }
    return reads
  })

  await Promise.all(
    urls.map(async (url, i) => {
      // Created at one service, ended at the other.
      const { url: origin, deps } = stack(i + 1)
      const { status } = await tusUser(origin, token).patch(at(origin, url), 0, pdf(i))
      expect(status).toBe(204)
      // As a worker would.
      const { record } = await deps.uploads.commit(idOf(url), async (current) => {
        if (current === undefined) throw new Error('no record')
        const sequence = await deps.completion.nextSequence(current, current)
        const measured = { kind: 'pdf' as const, container: 'pdf', pages: 3 }
        return reached(current, 'accepted', { sequence, measured })
      })
      accepted.add(idOf(url))
      await refreshCompleteness(deps, record?.owner ?? '', SUBMISSION)
    }),
  )
  reading = false
  for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0)

  const documents = await Promise.all([0, 1].map(read))
  expect(documents[0]).toEqual(documents[1])
  for (const document of documents) {
    expectSound(document, ids, ids)
    expect(document.complete).toBe(true)
  }
  const stored = await stack(0).deps.uploads.ofSubmissionFromStore('portal', SUBMISSION)
  expect(new Set(stored.map(({ id }) => id))).toEqual(ids)
  const last = stored
    .flatMap(({ storedAt }) => storedAt ?? [])
    .toSorted()
    .at(-1)
  expect(documents[0]?.creditedAt).toBe(last)

  const entries = await stack(0).deps.redis.hot.xrange(redisKeys.submissionEvents('portal', SUBMISSION), '-', '+')
  const events = entries.map(([, fields]) => (JSON.parse(fields[1] ?? '{}') as EventEnvelope).body)
  const told = (type: string) => events.filter((event) => event.type === type)
  expect(told('submission.complete')).toHaveLength(1)
  for (const type of ['upload.stored', 'upload.accepted'])
    expect(new Set(told(type).map(({ data }) => data.uploadId))).toEqual(ids)
  const sequences = events.map(({ data }) => data.sequence)
  expect(new Set(sequences).size).toBe(sequences.length)
  expect(documents[0]?.sequence).toBe(Math.max(...sequences))
})

it('concurrent seals at both services make one revision', async () => {
  const answers = await Promise.all(
    [0, 1, 0, 1].map((i) => stack(i).call('POST', `/v1/submissions/${SUBMISSION}/seal`)),
  )
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  const documents = await Promise.all([0, 1].map(read))
  expect(documents[0]).toEqual(documents[1])
  expect(documents[0]).toMatchObject({ state: 'sealed', revision: 1, complete: true })
  expect(documents[0]?.revisions[0]?.uploads['works']).toHaveLength(FILES)
})
