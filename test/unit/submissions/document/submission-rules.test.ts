import { describe, expect, it } from 'vitest'
import type { SubmissionHead } from '../../../../src/records/submission-head.ts'
import type { DocumentView } from '../../../../src/submissions/document/views.ts'
import { catalogue, changedProfile, lasting, minute, pdf, view } from '../support.ts'
import { but, document, FULL, slot } from './support.ts'

describe('dates', () => {
  const late = view('teach', 'teaching_video', 70, { measured: lasting(3000) })

  it('a file stored after grace is kept but does not count, unless the portal moves the deadline', () => {
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

  it('only late bytes count as late, not a late verdict', () => {
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

  it('a sealed one is complete and does not change later', () => {
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

  it('carries accepted files over into the next, and does not change the old one', () => {
    const returned: Partial<SubmissionHead> = {
      state: 'returned',
      revision: 2,
      revisions: [{ revision: 1, sealedAt: minute(100), returnedAt: minute(110), reason: 'แก้ไขวีดิทัศน์', uploads }],
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
      {
        revision: 1,
        sealedAt: minute(100),
        sealedBy: 'request',
        returnedAt: minute(110),
        reason: 'แก้ไขวีดิทัศน์',
        uploads,
      },
      { revision: 2, uploads: { ...uploads, teaching_video: ['new'] } },
    ])
  })

  it('accepts nothing while sealed, and again once returned', () => {
    expect(document(FULL, sealed).accepting).toBe(false)
    expect(document(FULL, { ...sealed, state: 'returned', revision: 2 }).accepting).toBe(true)
  })

  it('a deleted submission has no document', () => {
    expect(() => document(FULL, { state: 'deleted' })).toThrow(expect.objectContaining({ code: 'SUBMISSION_DELETED' }))
  })
})

describe('metadata', () => {
  const asking = changedProfile('teacher.K2', (data) => {
    const field = data.slots[0]?.metadata?.[0]
    if (field) field.required = true
    const free = data.slots[3]
    if (free) Object.assign(free, { min: 0, metadata: [{ ...field, name: 'grade', required: true }] })
  })

  it('that is required keeps the submission incomplete until it is set', () => {
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

  it('is not required for an optional empty slot', () => {
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
  const doc = (...uploads: DocumentView[]) => document([...base, ...uploads], {}, award)

  it('require the first branch while no branch is started', () => {
    expect(doc()).toMatchObject({ complete: false, missing: works })
  })

  it('are fulfilled by either branch', () => {
    expect(doc(...academic)).toMatchObject({ complete: true, missing: [] })
    expect(doc(evidence)).toMatchObject({ complete: true, missing: [], creditedAt: minute(61) })
  })

  it('are not fulfilled by half a branch, and require the rest of it', () => {
    expect(doc(...academic.slice(0, 2))).toMatchObject({ complete: false, missing: ['published_article'] })
  })

  it('wait for a verdict on either branch', () => {
    const checking = { ...evidence, state: 'checking' as const }
    expect(doc(checking)).toMatchObject({ complete: false, missing: [], pending: ['award_evidence'] })
  })

  it('require the branch that was started', () => {
    expect(doc({ ...evidence, state: 'receiving', storedAt: null }).missing).toEqual(['award_evidence'])
  })

  it('need a file in a slot that is optional by itself', () => {
    expect(doc({ ...evidence, state: 'rejected' }).missing).toEqual(works)
  })

  it('refer to each other in their slots', () => {
    const both = doc()
    expect(slot(both, 'award_evidence').alternativeTo).toEqual(works)
    expect(slot(both, 'research_work').alternativeTo).toEqual(['award_evidence'])
    expect(slot(both, 'lesson_plan')).not.toHaveProperty('alternativeTo')
  })

  it('do not exist while the award slot is disabled: the works are required, as shipped', () => {
    const shipped = document([...base, evidence], {}, catalogue.pin('teacher.K5'))
    expect(shipped).toMatchObject({ complete: false, missing: works })
    expect(shipped.slots.map((s) => s.slot)).not.toContain('award_evidence')
  })
})
