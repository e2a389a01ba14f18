// What happens to an upload while the submission is being sealed: a seal never lists what was taken away before it, and
// nothing takes away what it lists.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { cancelUpload } from '../../../src/lifecycle/cancel.ts'
import { keepIfSealed } from '../../../src/lifecycle/sealed-uploads.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { Measured } from '../../../src/records/upload-record.ts'
import type { SubmissionDocument } from '../../../src/submissions/document/schemas.ts'
import { rejudge } from '../../../src/submissions/rejudge.ts'
import { type SealDeps, sealSubmission } from '../../../src/submissions/seal.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const document = async (id: string) =>
  (await h.call('GET', `/v1/submissions/${id}`)).body as unknown as SubmissionDocument
const stateOf = async (id: string) => (await h.deps.uploads.fromStore(id))?.state
const pdf = (pages: number): Measured => ({ kind: 'pdf', container: 'pdf', pages })

/** Seals, and does something once between the look at the uploads and the commit. */
async function sealWhile(id: string, act: () => Promise<unknown>): Promise<string> {
  let done = false
  const nextSequence = async (...args: Parameters<SealDeps['heads']['nextSequence']>) => {
    const next = await h.deps.heads.nextSequence(...args)
    if (done) return next
    done = true
    await act()
    return next
  }
  const heads = new Proxy(h.deps.heads, {
    get(target, name) {
      if (name === 'nextSequence') return nextSequence
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  try {
    const { document } = await sealSubmission({ ...h.deps, heads }, 'portal', id, { whenComplete: false })
    return document.state
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  } finally {
    expect(done).toBe(true)
  }
}

/** What a worker or a deletion commits first. */
const lose = async (id: string, state: 'rejected' | 'cancelled') => {
  const { record } = await h.deps.uploads.commit(id, (current) => current && reached(current, state))
  if (record === undefined) throw new Error(`${id} has no record`)
  return record
}

const one = async (id: string) => {
  await h.put(id)
  return await h.acceptedUpload(id, 'plan')
}

describe('a file that is rejected during the seal', () => {
  it('is not sealed if the rejection is committed before the seal', async () => {
    const { id } = await one('j-1')
    const outcome = await sealWhile('j-1', async () => {
      expect(await keepIfSealed(h.deps, await lose(id, 'rejected'))).toBe(false)
    })
    expect(outcome).toBe('SUBMISSION_INCOMPLETE')
    expect(await document('j-1')).toMatchObject({ state: 'open', complete: false, missing: ['plan'] })
    expect(await stateOf(id)).toBe('rejected')
  })

  it('stays accepted where the seal is first', async () => {
    const { id } = await one('j-2')
    let lost: Awaited<ReturnType<typeof lose>> | undefined
    const outcome = await sealWhile('j-2', async () => {
      lost = await lose(id, 'rejected')
    })
    expect(outcome).toBe('sealed')
    const sealed = await document('j-2')
    expect(sealed).toMatchObject({ complete: true, slots: [{ counted: [id] }, {}] })
    if (lost === undefined) throw new Error('not lost')
    expect(await keepIfSealed(h.deps, lost)).toBe(true)
    expect(await stateOf(id)).toBe('accepted')
    // Asked again, as a worker does that died in between.
    expect(await keepIfSealed(h.deps, lost)).toBe(true)
    expect((await document('j-2')).revisions).toEqual(sealed.revisions)
    const record = await h.deps.uploads.fromStore(id)
    expect(record?.version).toBe(lost.version + 1)
  })

  it('stays accepted where a new profile rejects it', async () => {
    await h.put('j-3')
    const { id } = await h.acceptedUpload('j-3', 'plan', { measured: pdf(5) })
    const head = await h.deps.heads.require('portal', 'j-3')
    // Read before the seal, judged after it.
    await h.call('POST', '/v1/submissions/j-3/seal')
    await rejudge(h.deps, head, h.deps.profiles.pin('tiny@2'))
    expect(await stateOf(id)).toBe('accepted')
    expect((await document('j-3')).slots[0]?.counted).toEqual([id])
  })
})

describe('a file that is deleted during the seal', () => {
  it('is not sealed if the deletion is committed before the seal', async () => {
    const { id } = await one('x-1')
    const outcome = await sealWhile('x-1', async () => {
      expect((await h.call('DELETE', `/v1/uploads/${id}`)).status).toBe(204)
    })
    expect(outcome).toBe('SUBMISSION_INCOMPLETE')
    expect(await h.deps.store.head(objectKeys.data(id))).toBeUndefined()
  })

  it('stays, with its bytes, if the seal is first', async () => {
    const { id } = await one('x-2')
    expect(await sealWhile('x-2', () => lose(id, 'cancelled'))).toBe('sealed')
    const view = await h.deps.views.one(id)
    if (view === undefined) throw new Error('no upload')
    await expect(cancelUpload(h.deps, view)).rejects.toMatchObject({
      code: 'SUBMISSION_SEALED',
      status: 409,
    })
    expect(await stateOf(id)).toBe('accepted')
    expect(await h.deps.store.head(objectKeys.data(id))).toMatchObject({ bytes: 1000 })
    expectProblem(await h.call('DELETE', `/v1/uploads/${id}`), 'SUBMISSION_SEALED', { status: 409 })
  })

  it('is sealed or not, but all documents agree', async () => {
    for (let i = 0; i < 10; i++) {
      const name = `x-3-${i}`
      const { id } = await one(name)
      const [sealed, removed] = await Promise.all([
        h.call('POST', `/v1/submissions/${name}/seal`),
        h.call('DELETE', `/v1/uploads/${id}`),
      ])
      const { state, complete } = await document(name)
      const bytes = (await h.deps.store.head(objectKeys.data(id)))?.bytes
      const found = [sealed.status, removed.status, state, complete, await stateOf(id), bytes]
      expect([
        [200, 409, 'sealed', true, 'accepted', 1000],
        [409, 204, 'open', false, 'cancelled', undefined],
      ]).toContainEqual(found)
    }
  })
})

describe('an upload that ends during the seal', () => {
  it('with its last byte stored stays, and is not in the seal', async () => {
    const { id } = await one('e-1')
    const draft = await h.beginUpload('e-1', 'extras')
    expect(await sealWhile('e-1', () => h.storeUpload(draft))).toBe('sealed')
    expect(await stateOf(draft.id)).toBe('stored')
    await h.judgeUpload(draft.id, 'accepted')
    expect(await document('e-1')).toMatchObject({
      state: 'sealed',
      revisions: [{ uploads: { plan: [id] } }],
      slots: [{ uploads: [id] }, { uploads: [], state: 'empty' }],
    })
  })

  it('with a verdict that replaces a file does not change the sealed revision', async () => {
    const { id } = await one('e-2')
    const outcome = await sealWhile('e-2', async () => {
      await h.acceptedUpload('e-2', 'plan', { replaces: id })
    })
    expect(outcome).toBe('sealed')
    expect(await document('e-2')).toMatchObject({ revisions: [{ uploads: { plan: [id] } }] })
    expect((await document('e-2')).slots[0]).toMatchObject({ counted: [id], state: 'accepted' })
  })
})
