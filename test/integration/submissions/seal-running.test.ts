// A seal, and dates, as tus clients meet them: with a body on its way, over both stores.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refreshCompleteness } from '../../../src/submissions/completeness.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { reached } from '../../support/records.ts'
import { idOf, tusUser } from '../../support/tus.ts'

const BYTES = 300_000
const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(BYTES - 9, 65)])

overBothStores((store) => {
  let stack: Environment
  const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs }
  beforeAll(async () => {
    stack = await openEnvironment({ store, clock })
  })
  afterAll(async () => await stack.close())

  const file = { length: BYTES, name: 'a.pdf', type: 'application/pdf' }
  const accepted = async (submission: string): Promise<string> => {
    const user = tusUser(stack.url, await stack.ticket(submission, 'plan'))
    const url = await user.create(file)
    expect((await user.patch(url, 0, pdf)).status).toBe(204)
    const { deps } = stack
    await deps.uploads.commit(idOf(url), async (current) => {
      if (current === undefined) throw new Error('no record')
      const sequence = await deps.completion.nextSequence(current, current)
      const measured = { kind: 'pdf' as const, container: 'pdf', pages: 3 }
      return reached(current, 'accepted', { sequence, measured })
    })
    await refreshCompleteness(deps, 'portal', submission)
    return idOf(url)
  }

  describe('a seal', () => {
    it('ends an upload during its PATCH, and every request for it gets an error', async () => {
      const submission = await stack.submission()
      const plan = await accepted(submission)
      const ticket = await stack.ticket(submission, 'extras')
      const user = tusUser(stack.url, ticket)
      const url = await user.create(file)
      const sending = user.begin(url, 0, BYTES)
      await sending.write(pdf.subarray(0, 200_000))
      const hot = () => stack.deps.hot.read(idOf(url))
      await waitFor(async () => (await hot())?.holder !== null, { what: 'the body to be received' })
      const { status, body } = await stack.call('POST', `/v1/submissions/${submission}/seal`)
      expect([status, body['state']]).toEqual([200, 'sealed'])
      sending.end(pdf.subarray(200_000))
      const cut = await sending.reply.catch((error: Error) => error)
      if (!(cut instanceof Error)) expect(cut.status).toBe(410)
      expect((await user.head(url)).status).toBe(410)
      expect((await user.patch(url, 0, pdf)).status).toBe(410)
      expect((await user.post(file)).problem).toMatchObject({ code: 'SUBMISSION_SEALED', status: 403 })
      const document = (await stack.call('GET', `/v1/submissions/${submission}`)).body
      expect(document['revisions']).toMatchObject([{ revision: 1, uploads: { plan: [plan] } }])
      const upload = (await stack.call('GET', `/v1/uploads/${idOf(url)}`)).body
      expect(upload['state']).toBe('cancelled')
    })

    it('ends with a return: the next upload is in the next revision', async () => {
      const submission = await stack.submission()
      const plan = await accepted(submission)
      await stack.call('POST', `/v1/submissions/${submission}/seal`)
      await stack.call('POST', `/v1/submissions/${submission}/return`, { body: { reason: 'no sound' } })
      const next = await accepted(submission)
      const record = await stack.deps.uploads.fromStore(next)
      expect(record).toMatchObject({ revision: 2, replaces: plan })
      const { body } = await stack.call('POST', `/v1/submissions/${submission}/seal`)
      expect(body['revisions']).toMatchObject([{ uploads: { plan: [plan] } }, { uploads: { plan: [next] } }])
    })
  })

  describe('the deadline', () => {
    it('accepts within grace a person who was refused before it, for that slot', async () => {
      clock.aheadMs = 0
      const deadline = new Date(clock.now() + 60_000).toISOString()
      const submission = await stack.submission({ deadline, graceSeconds: 600 })
      const tried = { owner: 'portal', submissionId: submission, slot: 'plan', subject: null, declared: null }
      stack.deps.attempts.record({ ...tried, outcome: 'refused', code: 'OVERLOADED', uploadId: null })
      clock.aheadMs = 120_000
      const user = tusUser(stack.url, await stack.ticket(submission, 'plan'))
      const url = await user.create(file)
      expect((await user.patch(url, 0, pdf)).status).toBe(204)
      const { status, body } = await stack.call('POST', `/v1/submissions/${submission}/tickets`, {
        body: {
          slot: 'film',
        },
      })
      expect([status, body['code']]).toEqual([403, 'DEADLINE_PASSED'])
      const receipt = await stack.call('GET', `/v1/uploads/${idOf(url)}/receipt`)
      expect(receipt.body).toMatchObject({ kind: 'stored', claims: { late: true, bytes: BYTES } })
      clock.aheadMs = 0
    })
  })
})
