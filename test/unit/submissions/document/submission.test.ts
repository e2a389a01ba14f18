import { describe, expect, it } from 'vitest'
import type { SubmissionHead } from '../../../../src/records/submission-head.ts'
import { computeSubmission, supersededIds } from '../../../../src/submissions/document/submission.ts'
import { type UploadView, viewOfHot } from '../../../../src/submissions/document/views.ts'
import type { Profile } from '../../../../src/submissions/profiles/profile.ts'
import { problemOf } from '../../../../src/submissions/rules/texts.ts'
import { catalogue, changedProfile, head, lasting, minute, pdf, video, view } from '../support.ts'

const K2 = catalogue.pin('teacher.K2')
const NOW = Date.parse(minute(500))

function document(uploads: UploadView[], changes: Partial<SubmissionHead> = {}, profile: Profile = K2) {
  return computeSubmission({ head: head({ profile: profile.key, ...changes }), profile, uploads, now: NOW })
}

/** All that teacher.K2 asks for. */
const FULL = [
  view('plan', 'lesson_plan', 10, { measured: pdf() }),
  view('teach', 'teaching_video', 20, { measured: lasting(3000) }),
  view('insp', 'inspiration_video', 30, { measured: video() }),
  view('work', 'student_outcome', 40, { measured: pdf() }),
]
const but = (id: string, ...instead: UploadView[]) => [
  ...FULL.filter((upload) => upload.id !== id),
  ...instead,
]

function slot(doc: ReturnType<typeof document>, id: string) {
  const found = doc.slots.find((candidate) => candidate.slot === id)
  if (!found) throw new Error(`the document has no slot ${id}`)
  return found
}

describe('an empty submission', () => {
  const doc = document([])

  it('misses every slot, in the order of the profile', () => {
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
  it('is complete, credited with the last byte of the last file', () => {
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

  it('is credited with the bytes, not with the verdict', () => {
    const slow = view('teach', 'teaching_video', 20, { measured: lasting(3000), committedAt: minute(900) })
    const doc = document(but('teach', slow))
    expect(doc.creditedAt).toBe(minute(41))
    expect(doc.updatedAt).toBe(minute(900))
  })

  it('takes the higher sequence of head and uploads', () => {
    expect(document(FULL, { sequence: 77 }).sequence).toBe(77)
  })

  it('is not undone by a replacement that is on its way, nor by one that is rejected', () => {
    for (const state of ['receiving', 'stored', 'checking', 'failed', 'rejected'] as const) {
      const doc = document([...FULL, view('new', 'teaching_video', 60, { state, replaces: 'teach' })])
      expect(doc).toMatchObject({ complete: true, missing: [] })
      expect(slot(doc, 'teaching_video')).toMatchObject({ state: 'accepted', counted: ['teach'] })
    }
  })

  it('moves its credit to a replacement once that is accepted', () => {
    const replaced = [...FULL, view('new', 'teaching_video', 60, { measured: lasting(3000) })]
    const doc = document(replaced)
    expect(doc.creditedAt).toBe(minute(61))
    expect(slot(doc, 'teaching_video').uploads).toEqual(['new'])
    expect(supersededIds(head(), K2, replaced)).toEqual(new Set(['teach']))
  })
})

describe('a slot on its way', () => {
  const rows: [string, UploadView[], string, { missing: string[]; pending: string[]; uploads: string[] }][] =
    [
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
          viewOfHot({
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
        [
          view('u', 'teaching_video', 50, { state: 'rejected' }),
          view('v', 'teaching_video', 60, { state: 'receiving' }),
        ],
        'receiving',
        { missing: ['teaching_video'], pending: [], uploads: ['v'] },
      ],
      [
        'a removed file',
        [
          view('u', 'teaching_video', 50, { state: 'expired' }),
          view('v', 'teaching_video', 60, { state: 'cancelled' }),
        ],
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

describe('what a slot says', () => {
  const rejection = problemOf('NO_AUDIO', 'reject', { name: { th: 'คลิป', en: 'clip' } })
  const remark = problemOf('PORTRAIT', 'warn', { name: { th: 'คลิป', en: 'clip' }, actual: '1x2' })
  const advice = problemOf('NOT_STREAMABLE', 'advise', { name: { th: 'คลิป', en: 'clip' } })

  it('is why the last file was rejected, until something newer answers', () => {
    const rejected = view('u', 'teaching_video', 50, { state: 'rejected', problems: [rejection] })
    expect(slot(document(but('teach', rejected)), 'teaching_video').problems).toEqual([
      { ...rejection, upload: 'u' },
    ])
    const next = view('v', 'teaching_video', 60, { state: 'receiving' })
    expect(slot(document(but('teach', rejected, next)), 'teaching_video').problems).toEqual([])
    // Also where an older file goes on counting: the person should know that the new one does not.
    expect(slot(document([...FULL, rejected]), 'teaching_video')).toMatchObject({
      state: 'accepted',
      problems: [{ code: 'NO_AUDIO', upload: 'u' }],
    })
  })

  it('is the warnings of files that count, without advice', () => {
    const warned = view('u', 'teaching_video', 50, { measured: lasting(3000), problems: [remark, advice] })
    expect(slot(document(but('teach', warned)), 'teaching_video').problems).toEqual([
      { ...remark, upload: 'u' },
    ])
  })

  it('is a planned time that the video does not keep, by what the plan says now', () => {
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

  it('is that there are more files than may be, and which does not count', () => {
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

describe('dates', () => {
  const late = view('teach', 'teaching_video', 70, { measured: lasting(3000) })

  it('a file stored after grace is kept and does not count, until the portal moves the deadline', () => {
    const doc = document(but('teach', late), { deadline: minute(60), graceSeconds: 600 })
    expect(doc).toMatchObject({ complete: false, missing: ['teaching_video'], accepting: false })
    expect(slot(doc, 'teaching_video')).toMatchObject({
      state: 'rejected',
      uploads: ['teach'],
      counted: [],
      problems: [{ code: 'STORED_TOO_LATE', limit: minute(70), actual: minute(71), upload: 'teach' }],
    })
    const moved = document(but('teach', late), { deadline: minute(61), graceSeconds: 600 })
    expect(moved).toMatchObject({ complete: true, creditedAt: minute(71) })
  })

  it('a verdict that lands late does not matter, bytes that came late do', () => {
    const checking = (at: number) => view('teach', 'teaching_video', at, { state: 'checking' })
    const dates = { deadline: minute(60) }
    expect(document(but('teach', checking(50)), dates).pending).toEqual(['teaching_video'])
    expect(document(but('teach', checking(70)), dates)).toMatchObject({
      pending: [],
      missing: ['teaching_video'],
    })
  })

  it('a file repaired after a return counts', () => {
    const returned: Partial<SubmissionHead> = {
      state: 'returned',
      deadline: minute(60),
      revision: 2,
      revisions: [{ revision: 1, returnedAt: minute(65), reason: 'เสียงไม่ชัด', repairUntil: minute(100) }],
    }
    const repaired = view('new', 'teaching_video', 70, {
      revision: 2,
      replaces: 'teach',
      measured: lasting(3000),
    })
    expect(document([...FULL, repaired], returned)).toMatchObject({ complete: true, creditedAt: minute(71) })
    expect(document([...FULL, { ...repaired, revision: 1 }], returned).creditedAt).toBe(minute(41))
  })
})

describe('revisions', () => {
  const uploads = {
    lesson_plan: ['plan'],
    teaching_video: ['teach'],
    inspiration_video: ['insp'],
    student_outcome: ['work'],
  }
  const sealed: Partial<SubmissionHead> = {
    state: 'sealed',
    revisions: [{ revision: 1, sealedAt: minute(100), uploads }],
  }

  it('a sealed one is complete and frozen, whatever comes after', () => {
    const after = [
      view('new', 'teaching_video', 120, { measured: lasting(3000) }),
      view('more', 'student_outcome', 121, { state: 'checking' }),
    ]
    const doc = document([...FULL, ...after], { ...sealed, deadline: minute(1) })
    expect(doc).toMatchObject({
      state: 'sealed',
      complete: true,
      missing: [],
      pending: [],
      accepting: false,
      creditedAt: minute(41),
      revisions: [{ revision: 1, sealedAt: minute(100), uploads }],
    })
    expect(slot(doc, 'teaching_video')).toMatchObject({ uploads: ['teach'], counted: ['teach'] })
    expect(slot(doc, 'student_outcome')).toMatchObject({ uploads: ['work'] })
  })

  it('carries accepted files over into the next, and keeps the old one as it was', () => {
    const returned: Partial<SubmissionHead> = {
      state: 'returned',
      revision: 2,
      revisions: [
        { revision: 1, sealedAt: minute(100), returnedAt: minute(110), reason: 'แก้ไขคลิป', uploads },
      ],
    }
    const fresh = view('new', 'teaching_video', 120, {
      revision: 2,
      replaces: 'teach',
      measured: lasting(3000),
    })
    const doc = document([...FULL, fresh], returned)
    expect(doc).toMatchObject({
      state: 'returned',
      revision: 2,
      complete: true,
      accepting: true,
      creditedAt: minute(121),
    })
    expect(doc.revisions).toEqual([
      { revision: 1, sealedAt: minute(100), returnedAt: minute(110), reason: 'แก้ไขคลิป', uploads },
      { revision: 2, uploads: { ...uploads, teaching_video: ['new'] } },
    ])
  })

  it('of a deleted submission there is no document', () => {
    expect(() => document(FULL, { state: 'deleted' })).toThrow(
      expect.objectContaining({ code: 'SUBMISSION_DELETED' }),
    )
  })
})

describe('metadata', () => {
  const asking = changedProfile('teacher.K2', (data) => {
    const field = data.slots[0]?.metadata?.[0]
    if (field) field.required = true
    const free = data.slots[3]
    if (free) Object.assign(free, { min: 0, metadata: [{ ...field, name: 'grade', required: true }] })
  })

  it('that is required keeps the submission incomplete until it is given', () => {
    const doc = document(FULL, {}, asking)
    expect(doc).toMatchObject({ complete: false, missing: ['lesson_plan', 'student_outcome'] })
    expect(slot(doc, 'lesson_plan')).toMatchObject({
      state: 'accepted',
      problems: [{ code: 'METADATA_MISSING', actual: 'plannedMinutes' }],
    })
    const slotMetadata = { lesson_plan: { plannedMinutes: 50 }, student_outcome: { grade: 3 } }
    const given = document(FULL, { slotMetadata }, asking)
    expect(given.complete).toBe(true)
    expect(slot(given, 'lesson_plan').metadata).toEqual({ plannedMinutes: 50 })
  })

  it('is not asked of a slot that may stay empty and does', () => {
    const slotMetadata = { lesson_plan: { plannedMinutes: 50 } }
    expect(document(but('work'), { slotMetadata }, asking).complete).toBe(true)
  })
})

describe('alternatives', () => {
  const award = changedProfile('teacher.K5', (data) => {
    for (const s of data.slots) if (s.id === 'award_evidence') s.enabled = true
  })
  const works = ['research_work', 'innovation_work', 'published_article']
  const base = [...FULL]
  const academic = works.map((id, n) => view(id, id, 50 + n, { measured: pdf() }))
  const evidence = view('award', 'award_evidence', 60, { measured: pdf() })
  const doc = (...uploads: UploadView[]) => document([...base, ...uploads], {}, award)

  it('ask for the first branch while nothing is begun', () => {
    expect(doc()).toMatchObject({ complete: false, missing: works })
  })

  it('are content with either branch', () => {
    expect(doc(...academic)).toMatchObject({ complete: true, missing: [] })
    expect(doc(evidence)).toMatchObject({ complete: true, missing: [], creditedAt: minute(61) })
  })

  it('are not content with half a branch, and ask for the rest of it', () => {
    expect(doc(...academic.slice(0, 2))).toMatchObject({ complete: false, missing: ['published_article'] })
  })

  it('wait for a verdict on either branch', () => {
    const checking = { ...evidence, state: 'checking' as const }
    expect(doc(checking)).toMatchObject({ complete: false, missing: [], pending: ['award_evidence'] })
  })

  it('ask for the branch that was begun', () => {
    expect(doc({ ...evidence, state: 'receiving', storedAt: null }).missing).toEqual(['award_evidence'])
  })

  it('need something in a slot that could stay empty by itself', () => {
    expect(doc({ ...evidence, state: 'rejected' }).missing).toEqual(works)
  })

  it('name each other in their slots', () => {
    const both = doc()
    expect(slot(both, 'award_evidence').alternativeTo).toEqual(works)
    expect(slot(both, 'research_work').alternativeTo).toEqual(['award_evidence'])
    expect(slot(both, 'lesson_plan')).not.toHaveProperty('alternativeTo')
  })

  it('are none while the award slot is off: the works are required, as shipped', () => {
    const shipped = document([...base, evidence], {}, catalogue.pin('teacher.K5'))
    expect(shipped).toMatchObject({ complete: false, missing: works })
    expect(shipped.slots.map((s) => s.slot)).not.toContain('award_evidence')
  })
})
