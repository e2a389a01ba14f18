// What a change of the profile or of a verdict does to a submission, and what is told of it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { Measured } from '../../../src/records/upload-record.ts'
import { refreshCompleteness } from '../../../src/submissions/completeness.ts'
import { putSubmission } from '../../../src/submissions/put-submission.ts'
import { START } from '../../support/clock.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { begun, reached } from '../../support/records.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const pdf = (pages: number): Measured => ({ kind: 'pdf', container: 'pdf', pages })
const eventsOf = async (id: string) => (await h.events()).filter(({ data }) => data.submissionId === id)
const told = async (id: string) =>
  (await eventsOf(id)).filter(({ type }) => type.startsWith('submission.')).map(({ type }) => type)

describe('completeness', () => {
  it('is published once per change, with concurrent readers', async () => {
    await h.put('c-1')
    expect(await told('c-1')).toEqual([])
    const draft = await h.beginUpload('c-1', 'plan')
    await h.storeUpload(draft)
    await h.deps.uploads.commit(draft.id, (current) => current && reached(current, 'accepted'))
    await Promise.all(Array.from({ length: 10 }, () => refreshCompleteness(h.deps, 'portal', 'c-1')))
    expect(await told('c-1')).toEqual(['submission.complete'])
  })

  it('changes with a moved deadline, and names what is missing', async () => {
    await h.put('c-2')
    await h.acceptedUpload('c-2', 'plan')
    await h.put('c-2', { deadline: isoTime(START - 1000) })
    await h.put('c-2', { deadline: isoTime(START + 86_400_000) })
    expect(await told('c-2')).toEqual(['submission.complete', 'submission.incomplete', 'submission.complete'])
    const incomplete = (await eventsOf('c-2')).find(({ type }) => type === 'submission.incomplete')
    expect(incomplete?.data).toMatchObject({ missing: ['plan'], state: 'open', revision: 1 })
  })

  it('has a sequence number that the document does not fall behind', async () => {
    await h.put('c-3')
    await h.acceptedUpload('c-3', 'plan')
    const sequences = (await eventsOf('c-3')).map(({ data }) => data.sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(new Set(sequences).size).toBe(sequences.length)
    const { body } = await h.call('GET', '/v1/submissions/c-3')
    expect(body['sequence']).toBe(sequences.at(-1))
  })

  it('of an unknown submission is not published', async () => {
    expect(await refreshCompleteness(h.deps, 'portal', 'never')).toBeUndefined()
    await h.put('c-4')
    await h.call('DELETE', '/v1/submissions/c-4')
    expect(await refreshCompleteness(h.deps, 'portal', 'c-4')).toBeUndefined()
  })
})

describe('a changed profile', () => {
  it('judges the measurements again, in both directions', async () => {
    await h.put('r-1')
    const long = await h.acceptedUpload('r-1', 'plan', { measured: pdf(5) })
    const short = await h.acceptedUpload('r-1', 'extras', { measured: pdf(2) })
    const { body } = await h.put('r-1', { profile: 'tiny@2' })
    expect(body).toMatchObject({ profile: 'tiny@2', complete: false, missing: ['plan'] })
    const rejected = await h.call('GET', `/v1/uploads/${long.id}`)
    expect(rejected.body).toMatchObject({
      state: 'rejected',
      problems: [{ code: 'PDF_TOO_MANY_PAGES', severity: 'reject', limit: 2, actual: 5 }],
    })
    expect((await h.call('GET', `/v1/uploads/${short.id}`)).body['state']).toBe('accepted')
    expect((await h.put('r-1')).body).toMatchObject({ profile: 'tiny@1', complete: true })
    const back = await h.call('GET', `/v1/uploads/${long.id}`)
    expect(back.body).toMatchObject({ state: 'accepted', renditions: [{ name: 'page', state: 'waiting' }] })
    expect(await h.deps.queues.stateOf('inspect', long.id, 2)).not.toBe('unknown')
    const types = (await eventsOf('r-1')).filter(({ data }) => data.uploadId === long.id).map(({ type }) => type)
    expect(types.slice(-3)).toEqual(['upload.accepted', 'upload.rejected', 'upload.accepted'])
  })

  it('takes the lease of a worker that is working on a file that is now rejected', async () => {
    await h.put('r-2')
    const draft = await h.acceptedUpload('r-2', 'plan', { measured: pdf(5) })
    await h.deps.uploads.commit(draft.id, (current) => current && begun(current, 'inspect'))
    await h.put('r-2', { profile: 'tiny@2' })
    const record = await h.deps.uploads.latest(draft.id)
    expect([record?.state, record?.lanes.inspect]).toEqual(['rejected', { generation: 1, attempts: 1 }])
  })

  it('keeps the results that need a read of the complete file', async () => {
    await h.put('r-3')
    const draft = await h.acceptedUpload('r-3', 'plan', { measured: pdf(1) })
    const malware = {
      code: 'MALWARE',
      severity: 'reject' as const,
      message: { th: 'พบมัลแวร์', en: 'Malware' },
      actual: 'Eicar',
    }
    await h.deps.uploads.commit(
      draft.id,
      (current) =>
        current &&
        reached(current, 'rejected', { problems: [malware], checks: [{ name: 'malware', state: 'failed' }] }),
    )
    await h.put('r-3', { profile: 'tiny@2' })
    const { body } = await h.call('GET', `/v1/uploads/${draft.id}`)
    expect(body).toMatchObject({ state: 'rejected', problems: [{ code: 'MALWARE', actual: 'Eicar' }] })
  })

  it('does not accept a file whose bytes are deleted', async () => {
    await h.put('r-4', { profile: 'tiny@2' })
    const draft = await h.beginUpload('r-4', 'plan')
    await h.storeUpload(draft)
    await h.judgeUpload(draft.id, 'rejected', pdf(5))
    await h.deps.store.remove(objectKeys.data(draft.id))
    await h.put('r-4', { profile: 'tiny@1' })
    expect((await h.call('GET', `/v1/uploads/${draft.id}`)).body['state']).toBe('rejected')
  })

  it('also judges a file whose verdict is committed during the change', async () => {
    await h.put('r-6')
    const { uniqueKeys } = h.deps
    let draft = ''
    const meanwhile = {
      reserve: (owner: string, key: string, id: string) => uniqueKeys.reserve(owner, key, id),
      confirm: async () => {
        draft = (await h.acceptedUpload('r-6', 'plan', { measured: pdf(5) })).id
      },
      release: (owner: string, key: string, id: string) => uniqueKeys.release(owner, key, id),
    } as unknown as typeof uniqueKeys
    const body = { profile: 'tiny@2', uniqueKey: 'r-6' }
    const { loaded } = await putSubmission({ ...h.deps, uniqueKeys: meanwhile }, 'portal', 'r-6', body)
    expect((await h.call('GET', `/v1/uploads/${draft}`)).body['state']).toBe('rejected')
    expect(loaded.document.complete).toBe(false)
  })

  it('does not change uploads of a slot that it does not have', async () => {
    await h.put('r-5')
    const draft = await h.acceptedUpload('r-5', 'extras', { measured: pdf(1) })
    await h.put('r-5', { profile: 'teacher.K2@1' })
    const { body } = await h.call('GET', `/v1/uploads/${draft.id}`)
    expect([body['state'], body['superseded']]).toEqual(['accepted', false])
  })
})
