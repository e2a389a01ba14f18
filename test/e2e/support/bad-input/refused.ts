// Bad input: files that are refused for their size, name or first bytes, before anybody waits for them.

import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { noise, playlist, renamed } from '../../../support/media/hostile.ts'
import { pdf } from '../../../support/media/pdfs.ts'
import { lesson } from '../../../support/media/videos.ts'
import { idOf } from '../../../support/tus.ts'
import { expectBothLanguages, expectRefused } from '../refusals.ts'
import { type Stage, slotOf } from './stage.ts'

/** Limits of the profile's slots. */
const PLAN_MAX_BYTES = 52_428_800
const VIDEO_MAX_BYTES = 10 * 1024 ** 3

export function refusedTests(stage: Stage): void {
  describe('refused before it is sent, or at its first bytes', () => {
    test('larger than the slot takes: 413 with the limit, before a byte', async () => {
      const { stack } = stage
      for (const [slot, name, limit] of [
        ['lesson_plan', 'a.pdf', PLAN_MAX_BYTES],
        ['teaching_video', 'a.mp4', VIDEO_MAX_BYTES],
      ] as const) {
        const teacher = await stack.user(await stack.submission(), slot)
        const refused = await teacher.post({ length: limit + 1, name })
        expect(expectRefused(refused, 413, 'UPLOAD_TOO_LARGE')).toMatchObject({ limit, actual: limit + 1 })
        expect(refused.headers.location).toBeUndefined()
      }
      const teacher = await stack.user(await stack.submission(), 'lesson_plan')
      expect((await teacher.post({ length: PLAN_MAX_BYTES, name: 'a.pdf' })).status).toBe(201)
    })

    test('another type by name: 415 with what the slot takes, before a byte', async () => {
      const { stack } = stage
      for (const [slot, name, type] of [
        ['lesson_plan', 'แผน.docx', ''],
        ['lesson_plan', 'การสอน.mp4', 'video/mp4'],
        ['teaching_video', 'แผน.pdf', 'application/pdf'],
        ['teaching_video', 'เสียง.mp3', 'audio/mpeg'],
      ] as const) {
        const submission = await stack.submission()
        const teacher = await stack.user(submission, slot)
        const refused = await teacher.post({ length: 4000, name, type })
        const { limit } = expectRefused(refused, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
        expect(limit).toContain(slot === 'lesson_plan' ? 'pdf' : 'mp4')
        expect(await slotOf(stage, submission, slot)).toMatchObject({ state: 'empty', isMissing: true })
      }
    })

    test('not what its name says: 415 at the first bytes, and the slot is free for the right file', async () => {
      const { stack, corpus } = stage
      const film = await lesson(corpus)
      const plan = await pdf(corpus, 'plan.pdf')
      const lies = [
        ['lesson_plan', 'แผน.pdf', await renamed(corpus, film, 'film.pdf')],
        ['teaching_video', 'การสอน.mp4', await renamed(corpus, plan, 'plan.mp4')],
        ['teaching_video', 'การสอน.mp4', await noise(corpus)],
        ['teaching_video', 'การสอน.mp4', await playlist(corpus, 'http://127.0.0.1:9/x', '/etc/passwd')],
      ] as const
      const submission = await stack.submission()
      for (const [slot, name, path] of lies) {
        const bytes = await readFile(path)
        const teacher = await stack.user(submission, slot)
        const url = await teacher.create({ length: bytes.length, name })
        expectRefused(await teacher.patch(url, 0, bytes), 415, 'UPLOAD_TYPE_NOT_ALLOWED')
        expect((await teacher.head(url)).status).toBe(410)
        expect(await slotOf(stage, submission, slot)).toMatchObject({ state: 'empty', isMissing: true })
      }
      for (const [slot, path] of [
        ['lesson_plan', plan],
        ['teaching_video', film],
      ] as const) {
        const id = await stack.handIn(submission, slot, path)
        await stack.until(id, ({ accepted }) => accepted)
        const counted = { state: 'accepted', counted: [id], isMissing: false }
        expect(await slotOf(stage, submission, slot)).toMatchObject(counted)
      }
    })

    test('where a slot takes both, the bytes say which it is, and the name decides nothing', async () => {
      const { stack, corpus } = stage
      const submission = await stack.submission()
      const film = await stack.handIn(submission, 'student_outcome', await lesson(corpus), 'ผลงาน.pdf')
      const paper = await stack.handIn(submission, 'student_outcome', await pdf(corpus, 'plan.pdf'), 'ผลงาน.mp4')
      const [asFilm, asPaper] = await Promise.all(
        [film, paper].map((id) => stack.until(id, ({ accepted }) => accepted)),
      )
      expect(asFilm?.measured).toMatchObject({ kind: 'video', container: 'mp4' })
      expect(asPaper?.measured).toMatchObject({ kind: 'pdf', pages: 2 })
    })

    test('nothing at all: 400 where its length is told, a verdict where it turns out to be none', async () => {
      const { stack } = stage
      const submission = await stack.submission()
      const teacher = await stack.user(submission, 'lesson_plan')
      expectRefused(await teacher.post({ length: 0, name: 'แผน.pdf' }), 400, 'UPLOAD_EMPTY')
      expect(await slotOf(stage, submission, 'lesson_plan')).toMatchObject({ state: 'empty' })
      const url = await teacher.create({ length: null, name: 'แผน.pdf' })
      expect((await teacher.patch(url, 0, Buffer.alloc(0), { 'Upload-Length': 0 })).status).toBe(204)
      const { problems } = await stack.until(idOf(url), ({ state }) => state === 'rejected')
      expect(problems.map(({ code }) => code)).toEqual(['UPLOAD_EMPTY'])
      for (const problem of problems) expectBothLanguages(problem)
    })
  })
}
