// What the page makes of the documents: rules, rows, room, dates, and what a failed request means.

import { describe, expect, it } from 'vitest'
import { shippedProfilesDir } from '../../../src/submissions/profiles/loader.ts'
import type { SlotRules } from '../../../src/submissions/profiles/profile.ts'
import { elementPart } from '../portal/assets.ts'
import { catalogue } from '../submissions/support.ts'

const { readProfile } = await elementPart<{
  readProfile: (data: unknown) => { slots: Map<string, SlotRules & { guidance: unknown[] }> }
}>('model/profile.js')
type Row = { key: string; kind: string; job: unknown }
const { rowsOf, slotState } = await elementPart<{
  rowsOf: (slot: object, store: object, jobs: object[]) => { rows: Row[]; earlier: { id: string }[] }
  slotState: (slot: object, rows: Row[]) => string
}>('model/rows.js')
const { slotsToChange } = await elementPart<{ slotsToChange: (submission: object) => string[] }>('model/returned.js')
const { noRoomProblem, duplicateProblem } = await elementPart<{
  duplicateProblem: (job: object, store: object, jobs: object[]) => { name: string } | null
  noRoomProblem: (finding: object, job: object, store: object, jobs: object[]) => { name: string } | null
}>('model/room.js')
const { mayBegin, whenOf } = await elementPart<{
  mayBegin: (submission: object, slot: string, nowMs: number) => boolean
  whenOf: (submission: object, nowMs: number) => { at: string; ms?: number }
}>('model/dates.js')
const { standingOf } = await elementPart<{ standingOf: (submission: object, nowMs: number) => string }>(
  'model/standing.js',
)
const { failureOf, keepUrl } = await elementPart<{
  failureOf: (error: object) => { kind: string; retryAfterMs?: number | null }
  keepUrl: (request: object, response: object) => void
}>('sending/failure.js')

describe('the rules of a profile', () => {
  it.each(catalogue.list().map(({ key }) => key))('%s are those that the service enforces', (key) => {
    const profile = catalogue.get(key)
    const page = readProfile(structuredClone(profile?.data))
    expect(profile?.slots.length).toBeGreaterThan(0)
    for (const slot of profile?.slots ?? []) expect(page.slots.get(slot.id)).toMatchObject(slot)
  })

  it('are read from every shipped file', () => {
    expect(shippedProfilesDir()).toBeTruthy()
    expect(catalogue.list()).toHaveLength(16)
  })
})

const upload = (id: string, state: string, more: object = {}) => ({
  id,
  state,
  slot: 's',
  createdAt: `2026-01-01T00:00:0${id}Z`,
  measured: { kind: 'pdf' },
  declared: { filename: `${id}.pdf`, bytes: 100 },
  ...more,
})
const storeOf = (uploads: { id: string }[], state = 'open', slot: object = {}) => ({
  submission: { state, uploads, slots: [slot] },
  profile: { slots: new Map([['s', { maxPerKind: { video: 1 } }]]) },
  heard: new Map<string, { atMs: number }>(),
  upload: (id: string) => uploads.find((one) => one.id === id),
})
const slot = (uploads: string[], more: object = {}) => ({
  slot: 's',
  uploads,
  counted: [],
  state: 'empty',
  min: 1,
  max: 3,
  ...more,
})
const job = (more: object = {}) => ({
  key: 'job-1',
  slot: 's',
  phase: 'sending',
  active: true,
  uploadId: null,
  replaces: null,
  file: { name: 'new.pdf' },
  finding: { kind: 'pdf' },
  ...more,
})

describe('the files of a slot', () => {
  it('are one row each, also while this page uploads one', () => {
    const store = storeOf([upload('1', 'ready'), upload('2', 'receiving')])
    const { rows } = rowsOf(slot(['1', '2']), store, [job({ uploadId: '2' }), job({ key: 'job-2' })])
    expect(rows.map(({ key, kind }) => [key, kind])).toEqual([
      ['1', 'accepted'],
      ['job-1', 'local'],
      ['job-2', 'local'],
    ])
  })

  it('are unfinished if no client sends them, and uploading elsewhere if another does', () => {
    const store = storeOf([upload('1', 'receiving')])
    expect(rowsOf(slot(['1']), store, []).rows[0]?.kind).toBe('unfinished')
    store.heard.set('1', { atMs: Number.NEGATIVE_INFINITY })
    expect(rowsOf(slot(['1']), store, []).rows[0]?.kind).toBe('unfinished')
    store.heard.set('1', { atMs: performance.now() })
    expect(rowsOf(slot(['1']), store, []).rows[0]?.kind).toBe('elsewhere')
  })

  it('show a rejection until there is a newer file, and not after the seal', () => {
    const store = storeOf([upload('1', 'ready'), upload('2', 'rejected'), upload('3', 'cancelled')])
    const { rows, earlier } = rowsOf(slot(['1']), store, [])
    expect(rows.map(({ key }) => key)).toEqual(['1', '2'])
    expect(earlier.map(({ id }) => id)).toEqual(['3'])
    const answered = storeOf([upload('1', 'rejected'), upload('2', 'checking')])
    expect(rowsOf(slot(['2']), answered, []).rows.map(({ key }) => key)).toEqual(['2'])
    const sealed = storeOf([upload('1', 'ready'), upload('2', 'rejected')], 'sealed')
    expect(rowsOf(slot(['1']), sealed, []).rows.map(({ key }) => key)).toEqual(['1'])
  })

  it('determine the state of the slot', () => {
    const states = (state: string, rows: Partial<Row>[], more: object = {}) =>
      slotState(slot([], { state, ...more }), rows as Row[])
    expect(states('receiving', [{ kind: 'unfinished', job: null }])).toBe('unfinished')
    expect(states('receiving', [{ kind: 'elsewhere', job: null }])).toBe('receiving')
    expect(states('empty', [{ kind: 'local', job: job() }])).toBe('receiving')
    for (const phase of ['offline', 'paused']) {
      const still = { kind: 'local', job: job({ phase }) } as Partial<Row>
      expect(states('empty', [still])).toBe('unfinished')
      expect(states('receiving', [still, { kind: 'local', job: job({ phase: 'sending' }) }])).toBe('receiving')
    }
    expect(states('empty', [{ kind: 'local', job: job({ active: false }) }])).toBe('empty')
    expect(states('empty', [{ kind: 'local', job: job({ active: false, asks: true }) }])).toBe('blocked')
    expect(states('empty', [], { min: 0 })).toBe('optional')
    expect(states('accepted', [{ kind: 'local', job: job() }])).toBe('accepted')
    expect(states('rejected', [])).toBe('rejected')
  })
})

describe('the free places in a slot', () => {
  const three = slot(['1', '2', '3'])
  const two = slot(['1', '2'])
  const uploads = [upload('1', 'ready', { measured: { kind: 'video' } }), upload('2', 'ready'), upload('3', 'ready')]
  const room = (of: object, kind: string, own: object = {}, others: object[] = []) => {
    const mine = job(own)
    return noRoomProblem({ kind }, mine, storeOf(uploads, 'open', of), [mine, ...others])?.name ?? null
  }

  it('are limited per slot and per kind', () => {
    expect(room(two, 'pdf')).toBeNull()
    expect(room(two, 'video')).toBe('kindFull')
    expect(room(three, 'pdf')).toBe('slotFull')
  })

  it('are released by a replaced file', () => {
    expect(room(three, 'pdf', { replaces: '2' })).toBeNull()
    expect(room(three, 'video', { replaces: '1' })).toBeNull()
    expect(room(three, 'video', { replaces: '2' })).toBe('kindFull')
  })

  it('are used once by an upload of this page', () => {
    expect(room(two, 'pdf', {}, [job({ key: 'other' })])).toBe('slotFull')
    expect(room(two, 'pdf', {}, [job({ key: 'other', uploadId: '2' })])).toBeNull()
    expect(room(two, 'pdf', {}, [job({ key: 'other', active: false })])).toBeNull()
  })
})

describe('dates', () => {
  const at = (iso: string, more: object = {}) =>
    whenOf(
      {
        opensAt: '2026-01-01T00:00:00Z',
        deadline: '2026-02-01T00:00:00Z',
        graceSeconds: 3600,
        revisions: [],
        state: 'open',
        ...more,
      },
      Date.parse(iso),
    ).at

  it('are before, open, in grace, and closed', () => {
    expect(at('2025-12-31T23:59:59Z')).toBe('before')
    expect(at('2026-01-31T23:59:59Z')).toBe('open')
    expect(at('2026-02-01T00:59:59Z')).toBe('grace')
    expect(at('2026-02-01T01:00:01Z')).toBe('closed')
    expect(at('2030-01-01T00:00:00Z', { deadline: null })).toBe('always')
  })

  it('give time for repairs after a return only', () => {
    const revisions = [{ revision: 1, repairUntil: '2026-02-10T00:00:00Z' }, { revision: 2 }]
    expect(at('2026-02-05T00:00:00Z', { revisions, state: 'returned' })).toBe('repair')
    expect(at('2026-02-05T00:00:00Z', { revisions })).toBe('closed')
    expect(at('2026-02-11T00:00:00Z', { revisions, state: 'returned' })).toBe('closed')
  })
})

describe('a file that is uploaded already', () => {
  const file = (name: string, size = 100) => ({ file: { name, size } })
  const twin = (state: string, chosen: object, more: object = {}) =>
    duplicateProblem(job(chosen), storeOf([upload('1', state, more)]), [])?.name

  it('is recognized by its name and size', () => {
    expect(twin('ready', file('1.pdf'))).toBe('twice')
    expect(twin('rejected', file('1.pdf'))).toBe('twiceRejected')
    expect(twin('ready', file('2.pdf'))).toBeUndefined()
    expect(twin('ready', file('1.pdf', 101))).toBeUndefined()
    expect(twin('ready', { ...file('1.pdf'), slot: 'other' })).toBeUndefined()
    expect(twin('ready', file('1.pdf'), { superseded: true })).toBeUndefined()
    for (const gone of ['receiving', 'expired', 'cancelled']) expect(twin(gone, file('1.pdf')), gone).toBeUndefined()
    const sending = job({ key: 'job-2', ...file('1.pdf') })
    expect(duplicateProblem(job(file('1.pdf')), storeOf([]), [sending])?.name).toBe('twice')
  })
})

describe('a new file', () => {
  const dates = { opensAt: null, deadline: '2026-02-01T00:00:00Z', graceSeconds: 3600, state: 'open' }
  const begun = { slot: 's', state: 'receiving', createdAt: '2026-01-31T23:59:59Z' }
  const may = (at: string, more: object = {}) =>
    mayBegin({ ...dates, revisions: [], uploads: [], ...more }, 's', Date.parse(at))

  it('can be uploaded in grace only if one was started in time', () => {
    expect(may('2026-01-31T00:00:00Z')).toBe(true)
    const inGrace = '2026-02-01T00:30:00Z'
    expect(may(inGrace)).toBe(false)
    expect(may(inGrace, { uploads: [begun] })).toBe(true)
    expect(may(inGrace, { uploads: [{ ...begun, slot: 'other' }] })).toBe(false)
    expect(may(inGrace, { uploads: [{ ...begun, createdAt: '2026-02-01T00:10:00Z' }] })).toBe(false)
  })

  it('can be uploaded in the repair period only if one was returned or rejected', () => {
    const revisions = [{ revision: 1, returnedAt: 'x', repairUntil: '2026-03-01T00:00:00Z', uploads: { s: ['1'] } }]
    const later = '2026-02-20T00:00:00Z'
    expect(may(later, { state: 'returned', revisions })).toBe(true)
    const other = revisions.map((one) => ({ ...one, uploads: { other: ['1'] } }))
    expect(may(later, { state: 'returned', revisions: other })).toBe(false)
    const uploads = [{ ...begun, state: 'rejected' }]
    expect(may(later, { state: 'returned', revisions: other, uploads })).toBe(true)
  })
})

describe('the request of a return', () => {
  const returned = (state: string, standing: string[], uploads: object[]) =>
    slotsToChange({
      state,
      revisions: [{ returnedAt: 'x', slots: ['s'], uploads: { s: ['1'] } }, { revision: 2 }],
      slots: [slot(standing)],
      uploads,
    })

  it('is shown until another file is uploaded', () => {
    const first = upload('1', 'ready')
    expect(returned('returned', ['1'], [first])).toEqual(['s'])
    expect(returned('returned', ['1', '2'], [first, upload('2', 'receiving')])).toEqual(['s'])
    expect(returned('returned', ['1', '2'], [first, upload('2', 'checking')])).toEqual([])
    expect(returned('returned', ['2'], [first, upload('2', 'ready')])).toEqual([])
    expect(returned('sealed', ['1'], [first])).toEqual([])
  })
})

describe('a request that failed', () => {
  const answer = (status: number, code = '', headers: Record<string, string> = {}) => ({
    originalResponse: {
      getStatus: () => status,
      getBody: () => (code === '' ? '<html>' : JSON.stringify({ code, message: { th: 'ก', en: 'a' } })),
      getHeader: (name: string) => headers[name] ?? null,
    },
  })

  it.each([
    ['no answer', {}, 'wait'],
    ['a proxy without a service', answer(502), 'wait'],
    ['busy', answer(423, 'UPLOAD_LOCKED'), 'wait'],
    ['another offset', answer(409, 'OFFSET_MISMATCH'), 'wait'],
    ['a proxy that counts', answer(429), 'wait'],
    ['no space', answer(507, 'NO_SPACE'), 'wait'],
    ['another page', answer(400, 'UPLOAD_TAKEN_OVER'), 'taken'],
    ['an old ticket', answer(401, 'TICKET_EXPIRED'), 'ticket'],
    ['an upload that is gone', answer(410, 'UPLOAD_EXPIRED'), 'anew'],
    ['another page that cancels', answer(410, 'UPLOAD_CANCELLED'), 'cancelled'],
    ['a HEAD that may not', answer(403), 'ticket'],
    ['too large', answer(413, 'UPLOAD_TOO_LARGE'), 'refused'],
    ['too late', answer(403, 'DEADLINE_PASSED'), 'refused'],
  ])('%s', (_name, error, kind) => {
    expect(failureOf(error)).toMatchObject({ kind })
  })

  it('waits for Retry-After', () => {
    expect(failureOf(answer(503, 'OVERLOADED', { 'Retry-After': '7' }))).toEqual({
      kind: 'wait',
      retryAfterMs: 7000,
      code: 'OVERLOADED',
    })
    expect(failureOf(answer(503))).toEqual({ kind: 'wait', retryAfterMs: null, code: 'HTTP_503' })
  })

  it('keeps the upload after a HEAD without a definite answer', () => {
    const told = (method: string, status: number) => () =>
      keepUrl({ getMethod: () => method }, { getStatus: () => status })
    for (const status of [500, 502, 503, 504, 429]) expect(told('HEAD', status)).toThrow()
    for (const status of [200, 404, 410, 423]) expect(told('HEAD', status)).not.toThrow()
    expect(told('PATCH', 503)).not.toThrow()
  })
})

describe('where the submission stands', () => {
  const end = Date.parse('2026-09-30T16:59:00Z')
  const base = {
    state: 'open',
    opensAt: null,
    deadline: new Date(end).toISOString(),
    graceSeconds: 60,
    complete: true,
    missing: [],
    sealRequestedAt: null,
    sealAtDeadline: false,
    revisions: [{ revision: 1 }],
  }
  const incomplete = { complete: false, missing: ['plan'] }
  const pending = { complete: false, missing: [] }
  const [before, after] = [end - 1000, end + 61_000]

  it.each([
    ['notHandedIn', {}, before],
    ['byItself', { sealAtDeadline: true }, before],
    ['notHandedIn', { sealAtDeadline: true, deadline: null }, before],
    ['incomplete', incomplete, before],
    ['incomplete', { ...incomplete, sealAtDeadline: true }, before],
    ['pending', pending, before],
    ['armed', { ...pending, sealRequestedAt: base.deadline }, before],
    ['notHandedIn', {}, end + 30_000],
    ['overNotHandedIn', {}, after],
    ['overByItself', { sealAtDeadline: true }, after],
    ['overByItself', { ...pending, sealAtDeadline: true }, after],
    ['overPending', pending, after],
    ['lapsed', incomplete, after],
    ['lapsed', { ...incomplete, sealAtDeadline: true }, after],
    ['returned', { state: 'returned' }, after],
    ['sealed', { state: 'sealed', revisions: [{ sealedBy: 'request' }] }, after],
    ['sealedByItself', { state: 'sealed', revisions: [{ sealedBy: 'deadline' }] }, after],
  ])('%s', (standing, change, nowMs) => {
    expect(standingOf({ ...base, ...change }, nowMs)).toBe(standing)
  })
})
