// Bad input: files that look right at their beginning, and what the teacher reads of them moments after the last byte.

import { describe, expect, test } from 'vitest'
import { truncated } from '../../../support/media/hostile.ts'
import { lockedPdf, pdf } from '../../../support/media/pdfs.ts'
import { lesson } from '../../../support/media/videos.ts'
import { expectBothLanguages } from '../refusals.ts'
import { type Stage, slotOf } from './stage.ts'

type Line = {
  what: string
  slot: string
  /** As the words name the file. */
  name: { th: string; en: string }
  file: (stage: Stage) => Promise<string>
  expected: { code: string; limit?: number; actual?: number }
  /** What is taken in its place. */
  right?: (stage: Stage) => Promise<string>
}

const VIDEO = {
  slot: 'teaching_video',
  name: { th: 'วีดิทัศน์การสอน', en: 'teaching video' },
}
const PLAN = {
  slot: 'lesson_plan',
  name: { th: 'แผนการจัดการเรียนรู้', en: 'lesson plan' },
  right: ({ corpus }: Stage) => pdf(corpus, 'plan.pdf'),
}
const OUTCOME = {
  slot: 'student_outcome',
  name: { th: 'ไฟล์ผลงานผู้เรียน', en: 'student outcome file' },
  right: ({ corpus }: Stage) => pdf(corpus, 'ten-pages.pdf', { pages: 10 }),
}

const LINES: Line[] = [
  {
    ...VIDEO,
    what: 'an MP4 that was cut off, its index first',
    file: async ({ corpus }) => truncated(corpus, await lesson(corpus), 0.7, 'cut-index-first.mp4'),
    expected: { code: 'INCOMPLETE_FILE' },
  },
  {
    ...VIDEO,
    what: 'an MP4 that was cut off, its index last',
    file: async ({ corpus }) =>
      truncated(corpus, await lesson(corpus, { faststart: false }), 0.7, 'cut-index-last.mp4'),
    expected: { code: 'INCOMPLETE_FILE' },
  },
  {
    ...VIDEO,
    what: 'a video without sound',
    file: ({ corpus }) => lesson(corpus, { audio: 'none' }),
    right: ({ corpus }) => lesson(corpus),
    expected: { code: 'NO_AUDIO' },
  },
  {
    ...PLAN,
    what: 'a PDF with a password',
    file: ({ corpus }) => lockedPdf(corpus, 'user'),
    expected: { code: 'PDF_PASSWORD' },
  },
  {
    ...PLAN,
    what: 'a PDF of which the end is missing',
    file: async ({ corpus }) => truncated(corpus, await pdf(corpus, 'plan.pdf'), 0.5, 'cut.pdf'),
    expected: { code: 'PDF_DAMAGED' },
  },
  {
    ...OUTCOME,
    what: 'a PDF with one page too many',
    file: ({ corpus }) => pdf(corpus, 'eleven-pages.pdf', { pages: 11 }),
    expected: { code: 'PDF_TOO_MANY_PAGES', limit: 10, actual: 11 },
  },
]

export function verdictTests(stage: Stage): void {
  describe('rejected, in words that say what to do', () => {
    test.each(LINES.map((line) => [line.what, line] as const))(
      '%s',
      async (_, { slot, name, file, expected, right }) => {
        const { stack } = stage
        const submission = await stack.submission()
        const id = await stack.handIn(submission, slot, await file(stage))
        const { problems, ...upload } = await stack.until(id, ({ state }) => state === 'rejected')
        expect(upload).toMatchObject({ accepted: false, playable: false, renditions: [], error: null })

        const rejecting = problems.filter(({ severity }) => severity === 'reject')
        expect(rejecting).toMatchObject([expected])
        for (const problem of rejecting) {
          expectBothLanguages(problem)
          expect(problem.message.th).toContain(name.th)
          expect(problem.message.en).toContain(name.en)
          for (const value of [expected.limit, expected.actual])
            if (value !== undefined) {
              expect(problem.message.th).toContain(String(value))
              expect(problem.message.en).toContain(String(value))
            }
        }
        expect(await slotOf(stage, submission, slot)).toMatchObject({ state: 'rejected', isMissing: true })
        const told = await stack.eventsOf(id)
        expect(told.map(({ type }) => type)).toEqual(['upload.stored', 'upload.rejected'])
        expect(told.at(-1)?.data.problems).toEqual(problems)

        if (right === undefined) return
        const successor = await stack.handIn(submission, slot, await right(stage))
        await stack.until(successor, ({ accepted }) => accepted)
        expect(await slotOf(stage, submission, slot)).toMatchObject({
          state: 'accepted',
          counted: [successor],
          isMissing: false,
        })
        // One verdict: nothing that comes later changes it.
        expect(await stack.portal.upload(id)).toMatchObject({ state: 'rejected', problems })
      },
    )
  })
}
