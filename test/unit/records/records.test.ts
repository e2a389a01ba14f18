// Records as data: from a draft to a record and back, what Redis keeps of it, what an event tells, when nothing is due.

import { describe, expect, test } from 'vitest'
import { receivingRecord, storedRecord } from '../../../src/lifecycle/transitions.ts'
import { uploadEvent } from '../../../src/records/event-body.ts'
import { objectKeys, redisKeys, uploadIdOfKey } from '../../../src/records/keys.ts'
import type { LaneState, UploadRecord } from '../../../src/records/upload-record.ts'
import { isSettled } from '../../../src/records/upload-records.ts'
import { decodeSession, draftOf, pairs, slotKey } from '../../../src/records/upload-session.ts'
import { draftFor } from '../../support/drafts.ts'

const draft = draftFor('s1', { fingerprint: 'f', kinds: ['pdf'], rawMetadata: 'filename YQ==' })
const object = { key: objectKeys.data(draft.id) }

const record = (change: Partial<UploadRecord> = {}): UploadRecord => ({
  ...receivingRecord(draft, object, 7),
  version: 1,
  nonce: 'n',
  committedAt: '2026-11-21T08:00:00.000Z',
  ...change,
})

const stored = { object, bytes: 1000, storedAt: '2026-11-21T08:00:01.000Z', late: true, sequence: 8 }

describe('drafts', () => {
  test('a record contains its draft in every state', () => {
    expect(draftOf(record())).toEqual(draft)
    const later = { ...record(), ...storedRecord(record(), stored), version: 2 }
    expect(draftOf(later)).toEqual({ ...draft, declared: { ...draft.declared, bytes: 1000 } })
  })

  test('the last byte makes validate due, except for a partial', () => {
    expect(storedRecord(record(), stored)).toMatchObject({
      state: 'stored',
      event: 'upload.stored',
      receivedBytes: 1000,
      late: true,
      sequence: 8,
      lanes: { validate: { generation: 1, attempts: 0 } },
    })
    expect(storedRecord(record({ concat: { kind: 'partial' } }), stored).lanes).toEqual({})
  })
})

describe('the upload session in Redis', () => {
  const fields = {
    d: JSON.stringify(draft),
    size: '1000',
    off: '20',
    st: 'receiving',
    ver: '1',
    exp: '5',
    run: 'r',
    fence: 'f',
    holder: 'c',
    lease: '100',
  }

  test('is read completely, the holder only during its lease', () => {
    expect(decodeSession(fields, 99, 'r')).toMatchObject({
      draft,
      size: 1000,
      offset: 20,
      version: 1,
      trusted: true,
      abandoned: false,
      holder: { fence: 'f', channel: 'c' },
    })
    expect(decodeSession(fields, 100, 'r')).toMatchObject({ holder: null, abandoned: true })
    expect(decodeSession({ ...fields, fence: '' }, 99, 'r')).toMatchObject({ holder: null, abandoned: false })
  })

  test('of another run is not trusted; a deferred length is none', () => {
    expect(decodeSession(fields, 99, 'another').trusted).toBe(false)
    expect(decodeSession({ ...fields, size: '' }, 99, 'r').size).toBeNull()
  })

  test('is returned by scripts as names and values in turn', () => {
    expect(pairs(['a', '1', 'b', '2'])).toEqual({ a: '1', b: '2' })
  })

  test('has a slot key of owner, submission and slot, which is unambiguous', () => {
    const places = [
      slotKey(draft),
      slotKey({ ...draft, owner: 'other' }),
      slotKey({ ...draft, submissionId: 's1\nplan' }),
      slotKey({ ...draft, slot: 'film' }),
      slotKey({ ...draft, submissionId: null }),
    ]
    expect(new Set(places).size).toBe(places.length)
  })
})

describe('keys', () => {
  test('all objects of an upload have one prefix, which contains the owner', () => {
    const prefix = objectKeys.upload(draft.id)
    for (const key of [
      objectKeys.data(draft.id),
      `${objectKeys.uploadRecord(draft.id)}000001.json`,
      objectKeys.single(draft.id, 't'),
      objectKeys.tail(draft.id, 5, 't'),
      objectKeys.rendition(draft.id, 't', 'video.mp4'),
    ]) {
      expect(key.startsWith(prefix)).toBe(true)
      expect(uploadIdOfKey(key)).toBe(draft.id)
    }
    expect(prefix.startsWith(objectKeys.submissionUploads('portal', 's1'))).toBe(true)
    expect(uploadIdOfKey('submissions/portal/s1/000001.json')).toBeUndefined()
  })

  test('tails sort by their offset', () => {
    const tails = [8_388_608, 0, 999, 80_530_636_800].map((offset) => objectKeys.tail(draft.id, offset, 't'))
    const [second, first] = tails
    expect([...tails].sort()[0]).toBe(first)
    expect([...tails].sort()[2]).toBe(second)
  })

  test('a fingerprint’s key is unambiguous', () => {
    const keys = [
      redisKeys.fingerprint('a', 'b', 'c', '1', 'f'),
      redisKeys.fingerprint('a', 'bc', '', '1', 'f'),
      redisKeys.fingerprint('a', 'b', 'c', '', '1f'),
    ]
    expect(new Set(keys).size).toBe(3)
  })
})

describe('events', () => {
  test('contain what a reader needs to fetch the document, with a stable id', () => {
    expect(uploadEvent(record({ version: 3, late: true }))).toEqual({
      owner: 'portal',
      submissionId: 's1',
      uploadId: draft.id,
      body: {
        id: `evt_${draft.id}_3`,
        type: 'upload.created',
        timestamp: '2026-11-21T08:00:00.000Z',
        data: {
          sequence: 7,
          submissionId: 's1',
          uploadId: draft.id,
          slot: 'plan',
          revision: 1,
          state: 'receiving',
          late: true,
        },
      },
    })
  })

  test('do not exist for a version without one, or an upload without a portal', () => {
    expect(uploadEvent(record({ event: null }))).toBeNull()
    expect(uploadEvent(record({ submissionId: null }))).toBeNull()
  })
})

describe('an upload without due work', () => {
  const done: LaneState = { generation: 1, attempts: 1, doneAt: '2026-11-21T08:00:00.000Z' }
  test.each([
    ['expired', {}, true],
    ['cancelled', {}, true],
    ['receiving', {}, false],
    ['stored', {}, false],
    ['failed', {}, false],
    ['accepted', { lanes: { inspect: done } }, false],
    ['ready', { lanes: { inspect: done } }, true],
    ['ready', { lanes: {} }, false],
    ['ready', { lanes: { inspect: done }, object: { ...object, parts: [] } }, false],
  ] as const)('%s %j: %s', (state, change, expected) => {
    expect(isSettled(record({ state, ...(change as Partial<UploadRecord>) }))).toBe(expected)
  })
})
