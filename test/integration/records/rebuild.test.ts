// The object store is the truth: with Redis wiped, submissions, their uploads and their numbers are what they were.

import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { receivingRecord, storedRecord } from '../../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { RECORD_METADATA_KEY } from '../../../src/records/upload-records.ts'
import { S3ObjectStore } from '../../../src/storage/s3.ts'
import { draftFor, OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { reached } from '../../support/records.ts'

overBothStores((store) => {
  let stack: Environment
  let number = 0
  let submissionId: string

  beforeEach(async () => {
    stack = await openEnvironment({ store, listens: false, appendOnly: true })
    submissionId = `rebuild-${++number}`
    await stack.commitHead(submissionId, { deadline: '2026-12-31T16:59:59.000Z' })
  })
  afterEach(() => stack.close())

  const upload = async (state: UploadRecord['state']): Promise<UploadRecord> => {
    const draft = draftFor(submissionId)
    const sequence = await stack.deps.heads.nextSequence(OWNER, submissionId)
    const object = { key: objectKeys.data(draft.id) }
    await stack.deps.uploads.commit(draft.id, () => receivingRecord(draft, object, sequence))
    if (state !== 'receiving')
      await stack.deps.uploads.commit(draft.id, (current) =>
        current === undefined ? undefined : reached(current, state, { sequence: sequence + 1 }),
      )
    const record = await stack.deps.uploads.fromStore(draft.id)
    if (record === undefined) throw new Error('not committed')
    return record
  }

  test('head and uploads are restored unchanged, in any state', async () => {
    const head = await stack.deps.heads.latest(OWNER, submissionId)
    const states = ['receiving', 'stored', 'accepted', 'rejected', 'cancelled'] as const
    const uploads = []
    for (const state of states) uploads.push(await upload(state))
    const before = await stack.deps.views.ofSubmission(OWNER, submissionId)
    await stack.deps.redis.hot.flushall()
    expect(await stack.deps.heads.latest(OWNER, submissionId)).toEqual(head)
    const after = await stack.deps.views.ofSubmission(OWNER, submissionId)
    expect(after.map(({ record }) => record)).toEqual(before.map(({ record }) => record))
    expect(after.map(({ id }) => id).sort()).toEqual(uploads.map(({ id }) => id).sort())
    expect(await stack.deps.heads.uploadsOf(OWNER, submissionId)).toHaveLength(states.length)
  })

  test('sequence numbers continue above every used one', async () => {
    const { sequence } = await upload('accepted')
    await stack.deps.redis.hot.flushall()
    expect(await stack.deps.heads.nextSequence(OWNER, submissionId)).toBeGreaterThan(sequence)
  })

  test('with an empty Redis a commit is still based on the newest version', async () => {
    const { id, version } = await upload('stored')
    await stack.deps.redis.hot.flushall()
    const { record } = await stack.deps.uploads.commit(id, (current) =>
      current === undefined ? undefined : reached(current, 'checking'),
    )
    expect(record).toMatchObject({ version: version + 1, state: 'checking' })
  })

  test('uploads of another submission in the same shard are not mixed in', async () => {
    const { id } = await upload('stored')
    // The same six hex digits in front, as two submissions of thousands may have.
    const foreign = { ...draftFor(submissionId), submissionId: 'another submission' }
    await stack.deps.uploads.commit(foreign.id, () => receivingRecord(foreign, { key: 'x' }, 1))
    expect((await stack.deps.uploads.fromStore(foreign.id))?.submissionId).toBe('another submission')
    await stack.deps.redis.hot.flushall()
    const views = await stack.deps.views.ofSubmission(OWNER, submissionId)
    expect(views.map((view) => view.id)).toEqual([id])
  })

  test.runIf(store === 's3')('an upload whose record is in the metadata of its object', async () => {
    const bucket = stack.deps.store
    if (!(bucket instanceof S3ObjectStore)) throw new Error('not a bucket')
    const draft = draftFor(submissionId)
    const key = objectKeys.single(draft.id, 'token')
    const record: UploadRecord = {
      ...storedRecord(receivingRecord(draft, { key }, 1), {
        object: { key },
        bytes: 4,
        storedAt: new Date().toISOString(),
        late: false,
        sequence: 2,
      }),
      version: 1,
      nonce: 'n',
      committedAt: new Date().toISOString(),
    }
    await bucket.client.send(
      new PutObjectCommand({
        Bucket: bucket.bucket,
        Key: key,
        Body: Buffer.from('body'),
        Metadata: { [RECORD_METADATA_KEY]: Buffer.from(JSON.stringify(record)).toString('base64') },
      }),
    )
    expect(await stack.deps.uploads.latest(draft.id)).toEqual(record)
    await stack.deps.redis.hot.flushall()
    const views = await stack.deps.views.ofSubmission(OWNER, submissionId)
    expect(views.map((view) => view.record)).toEqual([record])
    // Its next version is a record like any other, and counts from then on.
    await stack.deps.uploads.commit(draft.id, (current) =>
      current === undefined ? undefined : reached(current, 'checking'),
    )
    await stack.deps.redis.hot.flushall()
    expect(await stack.deps.uploads.latest(draft.id)).toMatchObject({ version: 2, state: 'checking' })
  })
})
