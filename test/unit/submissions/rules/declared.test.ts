import { describe, expect, it } from 'vitest'
import { declaredProblem, sniffedProblem } from '../../../../src/submissions/rules/declared.ts'
import { ticketLimits } from '../../../../src/submissions/rules/limits.ts'
import { slotOf } from '../support.ts'

const teaching = slotOf('teacher.K4', 'teaching_video')
const plan = slotOf('teacher.K4', 'lesson_plan')
const outcome = slotOf('teacher.K4', 'student_outcome')
const MIB = 1024 ** 2
const GIB = 1024 ** 3

const SLOTS = { teaching, plan, outcome }
const problem = (slot: keyof typeof SLOTS, filename: string | null, type: string | null, bytes: number | null = 1000) =>
  declaredProblem(SLOTS[slot], { filename, type, bytes })

describe('types and names', () => {
  it.each<[keyof typeof SLOTS, string | null, string | null]>([
    ['teaching', 'lesson.mp4', 'video/mp4'],
    ['teaching', 'IMG_0042.MOV', 'video/quicktime'],
    ['teaching', 'IMG_0042.MOV', ''],
    ['teaching', 'IMG_0042.MOV', null],
    ['teaching', 'clip.m4v', 'video/x-m4v'],
    ['teaching', 'clip.mp4', 'video/quicktime'],
    ['teaching', 'clip.mp4', 'application/octet-stream'],
    ['teaching', 'clip.MKV', ''],
    ['teaching', 'screen.webm', 'video/webm;codecs=vp9,opus'],
    ['teaching', 'camera.MTS', ''],
    ['teaching', 'camera.mts', 'text/vnd.trolltech.linguist'],
    ['teaching', 'old.3gp', 'video/3gpp'],
    ['teaching', 'clip.mp4', 'audio/mp4'],
    ['teaching', 'clip.mp4', 'text/plain'],
    ['teaching', 'วีดิทัศน์การสอน 1.2', ''],
    ['teaching', 'clip', 'VIDEO/MP4'],
    ['teaching', 'clip', 'video/something-new'],
    ['teaching', null, null],
    ['plan', 'แผน.PDF', ''],
    ['plan', 'plan.pdf', 'application/x-download'],
    ['plan', 'plan', 'application/pdf'],
    ['outcome', 'work.pdf', 'application/pdf'],
    ['outcome', 'work.mp4', 'video/mp4'],
  ])('%s accepts %s declared as %s', (slot, filename, type) => {
    expect(problem(slot, filename, type)).toBeUndefined()
  })

  it.each<[keyof typeof SLOTS, string | null, string | null, string]>([
    ['teaching', 'plan.pdf', 'application/pdf', 'application/pdf'],
    ['teaching', 'plan.pdf', '', 'pdf'],
    ['teaching', 'notes.docx', '', 'docx'],
    ['teaching', 'clip.wmv', 'video/x-ms-wmv', 'video/x-ms-wmv'],
    ['teaching', 'clip.FLV', 'application/octet-stream', 'flv'],
    ['teaching', 'song.mp3', 'audio/mpeg', 'audio/mpeg'],
    ['teaching', 'photo.heic', 'image/heic', 'image/heic'],
    ['teaching', null, 'text/html', 'text/html'],
    ['plan', 'lesson.mp4', 'video/mp4', 'video/mp4'],
    [
      'plan',
      'plan.docx',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    ['plan', 'scan.jpg', 'image/jpeg', 'image/jpeg'],
    ['outcome', 'work.png', 'image/png', 'image/png'],
  ])('%s refuses %s declared as %s', (slot, filename, type, actual) => {
    const refusal = problem(slot, filename, type)
    expect(refusal).toMatchObject({ code: 'UPLOAD_TYPE_NOT_ALLOWED', status: 415 })
    expect(refusal?.details).toEqual({
      slot: SLOTS[slot].id,
      limit: ticketLimits(SLOTS[slot]).extensions,
      actual,
    })
  })

  it('accepts any video container if the list is only inferred, but no PDF', () => {
    const slot = slotOf('school_admin.K4', 'development_plan_video')
    expect(declaredProblem(slot, { filename: 'a.wmv', type: 'video/x-ms-wmv', bytes: 1 })).toBeUndefined()
    expect(declaredProblem(slot, { filename: 'a.pdf', type: 'application/pdf', bytes: 1 })).toBeDefined()
  })
})

describe('sizes', () => {
  it('refuses an empty file, but not a deferred length', () => {
    expect(problem('plan', 'a.pdf', '', 0)).toMatchObject({ code: 'UPLOAD_EMPTY', status: 400 })
    expect(problem('plan', 'a.pdf', '', null)).toBeUndefined()
  })

  it.each<[keyof typeof SLOTS, string, number]>([
    ['plan', 'a.pdf', 50 * MIB],
    ['teaching', 'a.mp4', 10 * GIB],
    ['outcome', 'a.pdf', 50 * MIB],
    ['outcome', 'a.mov', 10 * GIB],
    // Nothing says which kind it is: the larger limit, until the bytes tell.
    ['outcome', 'a', 10 * GIB],
  ])('%s accepts %s of %i bytes and not one more', (slot, filename, limit) => {
    expect(problem(slot, filename, '', limit)).toBeUndefined()
    const refusal = problem(slot, filename, '', limit + 1)
    expect(refusal).toMatchObject({ code: 'UPLOAD_TOO_LARGE', status: 413 })
    expect(refusal?.details).toMatchObject({ limit, actual: limit + 1 })
  })

  it("applies the ticket's own limit", () => {
    const declared = { filename: 'a.mp4', type: 'video/mp4', bytes: 1001 }
    expect(declaredProblem(teaching, declared, 1001)).toBeUndefined()
    expect(declaredProblem(teaching, declared, 1000)?.details).toMatchObject({ limit: 1000, actual: 1001 })
  })
})

describe('first bytes', () => {
  it.each([
    ['teaching', 'video', 'mp4'],
    ['teaching', 'video', 'mov'],
    ['teaching', 'video', 'matroska'],
    ['teaching', 'video', 'webm'],
    ['teaching', 'video', 'avi'],
    ['teaching', 'video', 'mpegts'],
    ['teaching', 'video', '3gp'],
    ['plan', 'pdf', 'pdf'],
    ['outcome', 'pdf', 'pdf'],
    ['outcome', 'video', 'mp4'],
  ] as const)('%s accepts %s/%s', (slot, kind, container) => {
    expect(sniffedProblem(SLOTS[slot], kind, container)).toBeUndefined()
  })

  it.each([
    ['teaching', 'pdf', 'pdf'],
    ['teaching', 'video', 'asf'],
    ['teaching', 'video', 'flv'],
    ['teaching', 'video', 'mpegps'],
    ['teaching', 'audio', 'm4a'],
    ['teaching', 'other', 'unknown'],
    ['teaching', 'other', 'playlist'],
    ['plan', 'video', 'mp4'],
    ['plan', 'other', 'zip'],
    ['outcome', 'image', 'jpeg'],
  ] as const)('%s refuses %s/%s', (slot, kind, container) => {
    const refusal = sniffedProblem(SLOTS[slot], kind, container)
    expect(refusal).toMatchObject({ code: 'UPLOAD_TYPE_NOT_ALLOWED', status: 415 })
    expect(refusal?.details).toMatchObject({ actual: container })
  })
})

describe('ticketLimits', () => {
  it('contains what a page needs to refuse files itself', () => {
    expect(ticketLimits(plan)).toEqual({
      kinds: ['pdf'],
      extensions: ['pdf'],
      mimeTypes: ['application/pdf', 'application/x-pdf'],
      maxBytes: 50 * MIB,
      maxDurationSeconds: null,
      maxPages: null,
    })
    expect(ticketLimits(teaching)).toMatchObject({
      kinds: ['video'],
      maxBytes: 10 * GIB,
      maxDurationSeconds: 3600,
      maxPages: null,
    })
    expect(ticketLimits(outcome)).toMatchObject({
      kinds: ['video', 'pdf'],
      maxBytes: 10 * GIB,
      maxDurationSeconds: 600,
      maxPages: 10,
    })
  })

  it("is never above the slot's limit", () => {
    expect(ticketLimits(plan, 1000).maxBytes).toBe(1000)
    expect(ticketLimits(plan, 99 * GIB).maxBytes).toBe(50 * MIB)
  })
})
