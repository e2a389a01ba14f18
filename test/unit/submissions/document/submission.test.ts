import { describe, expect, it } from 'vitest'
import { supersededIds } from '../../../../src/submissions/document/submission.ts'
import { type DocumentView, viewOfSession } from '../../../../src/submissions/document/views.ts'
import { problemOf } from '../../../../src/submissions/rules/texts.ts'
import { head, lasting, minute, video, view } from '../support.ts'
import { but, document, FULL, K2, slot } from './support.ts'

describe('an empty submission', () => {
  const doc = document([])

  it('has every slot in missing, in the order of the profile', () => {
    expect(doc).toMatchObject({
      id: 'S1',
      profile: 'teacher.K2@1',
      state: 'open',
      revision: 1,
      complete: false,
      creditedAt: null,
      pending: [],
      missing: ['lesson_plan', 'teaching_video', 'inspiration_video', 'student_outcome'],
      revisions: [{ revision: 1, uploads: {} }],
    })
    expect(doc.slots.map((s) => [s.state, s.min, s.max, s.domain])).toEqual([
      ['empty', 1, 1, 'd1'],
      ['empty', 1, 1, 'd1'],
      ['empty', 1, 1, 'd1'],
      ['empty', 1, 3, 'd2'],
    ])
    expect(slot(doc, 'teaching_video').label).toEqual({
      th: 'ไฟล์วีดิทัศน์บันทึกการสอน',
      en: 'Recorded teaching video',
    })
  })
})

describe('a full submission', () => {
  it('is complete, with the time of the last byte of the last file', () => {
    const doc = document(FULL)
    expect(doc).toMatchObject({
      complete: true,
      missing: [],
      pending: [],
      creditedAt: minute(41),
      sequence: 40,
    })
    expect(doc.slots.map((s) => s.state)).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
    expect(doc.revisions).toEqual([
      {
        revision: 1,
        uploads: {
          lesson_plan: ['plan'],
          teaching_video: ['teach'],
          inspiration_video: ['insp'],
          student_outcome: ['work'],
        },
      },
    ])
  })

  it('has the time of the bytes, not of the verdict', () => {
    const slow = view('teach', 'teaching_video', 20, { measured: lasting(3000), committedAt: minute(900) })
    const doc = document(but('teach', slow))
    expect(doc.creditedAt).toBe(minute(41))
    expect(doc.updatedAt).toBe(minute(900))
  })

  it('uses the higher sequence of head and uploads', () => {
    expect(document(FULL, { sequence: 77 }).sequence).toBe(77)
  })

  it('stays complete during a replacement, and if the replacement is rejected', () => {
    for (const state of ['receiving', 'stored', 'checking', 'failed', 'rejected'] as const) {
      const doc = document([...FULL, view('new', 'teaching_video', 60, { state, replaces: 'teach' })])
      expect(doc).toMatchObject({ complete: true, missing: [] })
      expect(slot(doc, 'teaching_video')).toMatchObject({ state: 'accepted', counted: ['teach'] })
    }
  })

  it('gets the time of a replacement once that is accepted', () => {
    const replaced = [...FULL, view('new', 'teaching_video', 60, { measured: lasting(3000) })]
    const doc = document(replaced)
    expect(doc.creditedAt).toBe(minute(61))
    expect(slot(doc, 'teaching_video').uploads).toEqual(['new'])
    expect(supersededIds(head(), K2, replaced)).toEqual(new Set(['teach']))
  })
})

describe('the state of a slot', () => {
  const rows: [string, DocumentView[], string, { missing: string[]; pending: string[]; uploads: string[] }][] = [
    ['nothing', [], 'empty', { missing: ['teaching_video'], pending: [], uploads: [] }],
    [
      'bytes coming',
      [view('u', 'teaching_video', 50, { state: 'receiving' })],
      'receiving',
      { missing: ['teaching_video'], pending: [], uploads: ['u'] },
    ],
    [
      'an upload without a record',
      [
        viewOfSession({
          id: 'u',
          slot: 'teaching_video',
          revision: 1,
          replaces: null,
          createdAt: minute(50),
          concat: null,
        }),
      ],
      'receiving',
      { missing: ['teaching_video'], pending: [], uploads: ['u'] },
    ],
    [
      'a verdict to come',
      [view('u', 'teaching_video', 50, { state: 'stored' })],
      'checking',
      { missing: [], pending: ['teaching_video'], uploads: ['u'] },
    ],
    [
      'a fault of ours',
      [view('u', 'teaching_video', 50, { state: 'failed' })],
      'checking',
      { missing: [], pending: ['teaching_video'], uploads: ['u'] },
    ],
    [
      'a rejected file',
      [view('u', 'teaching_video', 50, { state: 'rejected' })],
      'rejected',
      { missing: ['teaching_video'], pending: [], uploads: [] },
    ],
    [
      'a rejected file, and a new one coming',
      [view('u', 'teaching_video', 50, { state: 'rejected' }), view('v', 'teaching_video', 60, { state: 'receiving' })],
      'receiving',
      { missing: ['teaching_video'], pending: [], uploads: ['v'] },
    ],
    [
      'a removed file',
      [view('u', 'teaching_video', 50, { state: 'expired' }), view('v', 'teaching_video', 60, { state: 'cancelled' })],
      'empty',
      { missing: ['teaching_video'], pending: [], uploads: [] },
    ],
  ]

  it.each(rows)('%s', (_, uploads, state, { missing, pending, uploads: listed }) => {
    const doc = document(but('teach', ...uploads))
    expect(doc).toMatchObject({ complete: false, missing, pending, creditedAt: null })
    expect(slot(doc, 'teaching_video')).toMatchObject({ state, uploads: listed, counted: [] })
  })
})

describe('the problems of a slot', () => {
  const rejection = problemOf('NO_AUDIO', 'reject', { name: { th: 'วีดิทัศน์', en: 'clip' } })
  const remark = problemOf('PORTRAIT', 'warn', { name: { th: 'วีดิทัศน์', en: 'clip' }, actual: '1x2' })
  const advice = problemOf('NOT_STREAMABLE', 'advise', { name: { th: 'วีดิทัศน์', en: 'clip' } })

  it('are those of the last rejected file, until there is a newer file', () => {
    const rejected = view('u', 'teaching_video', 50, { state: 'rejected', problems: [rejection] })
    expect(slot(document(but('teach', rejected)), 'teaching_video').problems).toEqual([{ ...rejection, upload: 'u' }])
    const next = view('v', 'teaching_video', 60, { state: 'receiving' })
    expect(slot(document(but('teach', rejected, next)), 'teaching_video').problems).toEqual([])
    // Also where an older file goes on counting: the person should know that the new one does not.
    expect(slot(document([...FULL, rejected]), 'teaching_video')).toMatchObject({
      state: 'accepted',
      problems: [{ code: 'NO_AUDIO', upload: 'u' }],
    })
  })

  it('are the warnings of counting files, without advice', () => {
    const warned = view('u', 'teaching_video', 50, { measured: lasting(3000), problems: [remark, advice] })
    expect(slot(document(but('teach', warned)), 'teaching_video').problems).toEqual([{ ...remark, upload: 'u' }])
  })

  it('include a planned duration that the video does not match, by the current plan', () => {
    const stale = problemOf('PLAN_TIME_MISMATCH', 'warn', {
      name: { th: 'ค', en: 'c' },
      limit: 60,
      actual: 3000,
    })
    const clip = view('teach', 'teaching_video', 20, { measured: lasting(3000), problems: [stale] })
    const told = (plannedMinutes?: number) =>
      slot(
        document(
          but('teach', clip),
          plannedMinutes === undefined ? {} : { slotMetadata: { lesson_plan: { plannedMinutes } } },
        ),
        'teaching_video',
      ).problems
    expect(told()).toEqual([])
    expect(told(50)).toEqual([])
    expect(told(60)).toMatchObject([
      { code: 'PLAN_TIME_MISMATCH', severity: 'warn', limit: 3600, actual: 3000, upload: 'teach' },
    ])
  })

  it('include too many files, and which one does not count', () => {
    const works = [1, 2].map((n) => view(`v${n}`, 'student_outcome', 40 + n, { measured: video() }))
    const doc = document(but('work', ...works))
    expect(doc.complete).toBe(true)
    expect(slot(doc, 'student_outcome')).toMatchObject({
      uploads: ['v1', 'v2'],
      counted: ['v1'],
      problems: [{ code: 'SLOT_OVERFULL', severity: 'warn', limit: 1, actual: 2, upload: 'v2' }],
    })
  })
})
