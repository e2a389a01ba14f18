// What comes after an erasure: processes that had read records before it, jobs that are at work, deletions of former versions.

import { Worker } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Context } from '../../../src/cli/command.ts'
import { erase } from '../../../src/cli/commands/erase.ts'
import { notifyJobId } from '../../../src/events/webhooks.ts'
import { Attempts } from '../../../src/evidence/attempts.ts'
import { QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { versionKey } from '../../../src/records/version-log.ts'
import { OWNER, openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { findTraces, keptInDirectory, keptInRedis } from '../../support/traces.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const traces = async (mark: string) =>
  findTraces([...(await keptInDirectory(h.dataDir)), ...(await keptInRedis(h.deps.redis.hot))], { mark })
const aMinutePasses = async () => {
  h.clock.ms += 61_000
  await h.deps.reconciler.tick()
}
const isErased = async (id: string) => (await h.deps.heads.fromStore(OWNER, id))?.erasedAt !== undefined

it('a version that a stopped process writes late counts for nothing, and is removed', async () => {
  await h.put('late', { metadata: { name: 'mark-late' } })
  const upload = await h.acceptedUpload('late', 'plan', { subject: 'mark-late' })
  const earlier = await h.deps.uploads.version(upload.id, 1)
  const head = await h.deps.heads.fromStore(OWNER, 'late')
  await h.call('DELETE', '/v1/submissions/late')
  expect(await traces('mark-late')).toEqual([])
  // Both had read version 1, and take version 2 for the next one.
  const record = versionKey(objectKeys.uploadRecord(upload.id), 2)
  expect(await h.deps.store.createIfAbsent(record, Buffer.from(JSON.stringify({ ...earlier, version: 2 })))).toBe(true)
  const next = versionKey(objectKeys.submission(OWNER, 'late'), 2)
  expect(await h.deps.store.createIfAbsent(next, Buffer.from(JSON.stringify({ ...head, version: 2 })))).toBe(true)
  expect((await h.deps.uploads.fromStore(upload.id))?.erasedAt).toBeDefined()
  expect((await h.deps.heads.fromStore(OWNER, 'late'))?.state).toBe('deleted')
  await aMinutePasses()
  expect(await traces('mark-late')).toEqual([])
})

it('an upload that was let in before it, and begins after it, is erased too', async () => {
  await h.put('straggler')
  await h.call('DELETE', '/v1/submissions/straggler')
  const declared = { filename: 'mark-straggler.pdf', type: 'application/pdf', bytes: 1000 }
  await h.storeUpload(await h.beginUpload('straggler', 'plan', { declared, fingerprint: 'mark-straggler' }))
  await h.beginUpload('straggler', 'extras', { declared: { ...declared, bytes: 10 } })
  expect((await traces('mark-straggler')).length).toBeGreaterThan(3)
  await aMinutePasses()
  expect(await traces('mark-straggler')).toEqual([])
  // The list of uploads on which something is due also tells how many are open.
  expect(await h.deps.redis.hot.zcard('sn:due')).toBe(0)
})

it('waits for a webhook that is being delivered, and then removes it', async () => {
  await h.put('busy', { metadata: { name: 'mark-busy' } })
  const upload = await h.acceptedUpload('busy', 'plan')
  const url = 'https://portal.example/mark-busy'
  await h.commitHead('busy', { callbackUrl: url })
  const eventId = `evt_${upload.id}_1`
  const jobId = notifyJobId(eventId, url)
  const job = { owner: OWNER, url, eventId, timestamp: new Date().toISOString(), body: '{}' }
  await h.deps.queues.enqueue('notify', job, { jobId })
  let answer: () => void = () => undefined
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const worker = new Worker('notify', () => answered, { connection: h.connect('jobs'), prefix: QUEUE_PREFIX })
  const state = () => h.deps.queues.byLane.notify.getJobState(jobId)
  await waitFor(async () => (await state()) === 'active', { what: 'the delivery to begin' })
  expect((await h.call('DELETE', '/v1/submissions/busy')).status).toBe(204)
  expect(await isErased('busy')).toBe(false)
  expect((await h.call('GET', '/v1/submissions/busy')).status).toBe(410)
  answer()
  await waitFor(async () => (await state()) === 'completed', { what: 'the delivery to end' })
  await worker.close()
  await aMinutePasses()
  expect(await isErased('busy')).toBe(true)
  expect(await state()).toBe('unknown')
  expect(await traces('mark-busy')).toEqual([])
})

/** As the command line runs it. */
const songngan = async (names: string[], values: Record<string, boolean>) =>
  await erase.prepare(
    names,
    values,
  )({
    deps: h.deps,
    operator: { by: 'command line pim at office', from: null },
    nowMs: h.clock.ms,
  } as unknown as Context)

it('by an operator shows what it would do, and does it with --yes', async () => {
  await h.put('asked-for', { metadata: { name: 'mark-asked' } })
  await h.acceptedUpload('asked-for', 'plan', { subject: 'mark-asked' })
  expect((await songngan(['portal/asked-for'], {})).text[0]).toBe('portal/asked-for with 1 upload would be erased.')
  expect((await h.call('GET', '/v1/submissions/asked-for')).status).toBe(200)
  const { text } = await songngan(['portal/asked-for'], { yes: true })
  expect(text).toEqual(['portal/asked-for with 1 upload: erased.'])
  const entry = { event: 'submission.erase', by: 'command line pim at office', on: 'submission portal/asked-for' }
  expect(await h.deps.securityLog.newest(1)).toMatchObject([entry])
  expect(await traces('mark-asked')).toEqual([])
})

it('finishes what a former version deleted, which kept names in its records', async () => {
  await h.put('before', { metadata: { name: 'mark-before' }, uniqueKey: 'mark-before' })
  await h.acceptedUpload('before', 'plan', { subject: 'mark-before' })
  await h.deps.heads.commit(OWNER, 'before', (head) => head && { ...head, state: 'deleted', event: null })
  expect((await traces('mark-before')).length).toBeGreaterThan(5)
  expect((await songngan([], { deleted: true })).text).toEqual(['1 deletion would be finished. Add --yes to do it.'])
  expect((await songngan([], { deleted: true, yes: true })).text).toEqual(['1 deletion finished.'])
  const entry = { event: 'submission.erase', by: 'command line pim at office', on: 'submission portal/before' }
  expect(await h.deps.securityLog.newest(1)).toMatchObject([entry])
  expect(await traces('mark-before')).toEqual([])
  expect((await h.put('heir', { uniqueKey: 'mark-before' })).status).toBe(201)
})

it('is an entry of the security log, with the portal and no person', async () => {
  await h.put('logged', { metadata: { name: 'mark-logged' } })
  const upload = await h.acceptedUpload('logged', 'plan')
  await h.call('DELETE', `/v1/uploads/${upload.id}`)
  await h.call('DELETE', '/v1/submissions/logged')
  const entries = await h.deps.securityLog.newest(2)
  expect(entries).toMatchObject([
    { event: 'submission.erase', by: 'portal portal', on: 'submission portal/logged', result: 'ok' },
    { event: 'upload.erase', by: 'portal portal', on: `upload ${upload.id}`, result: 'ok' },
  ])
  expect(JSON.stringify(entries)).not.toContain('mark-logged')
})

it('the attempt of an erased upload that another process stores late loses its file name', async () => {
  await h.put('attempted')
  const upload = await h.acceptedUpload('attempted', 'plan')
  await h.call('DELETE', `/v1/uploads/${upload.id}`)
  // It had it in memory, or had read the list in Redis.
  const process = new Attempts({ ...h.deps, redis: h.deps.redis.hot })
  const declared = { filename: 'mark-attempted.pdf', type: null, bytes: 1000 }
  process.record({
    owner: OWNER,
    submissionId: 'attempted',
    slot: 'plan',
    subject: null,
    declared,
    outcome: 'accepted',
    code: null,
    uploadId: upload.id,
  })
  await process.flush()
  expect(await traces('mark-attempted')).not.toEqual([])
  await aMinutePasses()
  expect(await traces('mark-attempted')).toEqual([])
  expect(await h.deps.attempts.list(OWNER, 'attempted')).toMatchObject([{ uploadId: upload.id, declared: null }])
})

it('attempts whose names are gone are not written again at each look', async () => {
  await h.put('attempted-once')
  const declared = { filename: 'mark-once.pdf', type: null, bytes: 1000 }
  const upload = await h.acceptedUpload('attempted-once', 'plan')
  const told = { owner: OWNER, submissionId: 'attempted-once', slot: 'plan', subject: null, declared }
  h.deps.attempts.record({ ...told, outcome: 'accepted', code: null, uploadId: upload.id })
  await h.deps.attempts.flush()
  const kept = async () => {
    const keys: string[] = []
    for await (const { key } of h.deps.store.list(objectKeys.attempts(OWNER, 'attempted-once'))) keys.push(key)
    return keys
  }
  await h.call('DELETE', `/v1/uploads/${upload.id}`)
  const after = await kept()
  expect(after).toHaveLength(1)
  await h.deps.attempts.eraseUpload(OWNER, 'attempted-once', upload.id)
  expect(await kept()).toEqual(after)
  expect(await traces('mark-once')).toEqual([])
})

it('an upload that is erased once more, after its submission, writes no attempts of it', async () => {
  await h.put('attempted-twice')
  const upload = await h.acceptedUpload('attempted-twice', 'plan')
  await h.call('DELETE', '/v1/submissions/attempted-twice')
  const declared = { filename: 'mark-twice.pdf', type: null, bytes: 1000 }
  const told = { owner: OWNER, submissionId: 'attempted-twice', slot: 'plan', subject: null, declared }
  h.deps.attempts.record({ ...told, outcome: 'refused', code: 'SUBMISSION_DELETED', uploadId: null })
  await h.deps.attempts.eraseUpload(OWNER, 'attempted-twice', upload.id)
  expect(await traces('mark-twice')).toEqual([])
})
