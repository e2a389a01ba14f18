// Verdicts that depend on what else is in the submission.

import { long } from '../../../test/support/media/lies.ts'
import { pdf } from '../../../test/support/media/pdfs.ts'
import { lesson } from '../../../test/support/media/videos.ts'
import type { Make, Row } from '../model.ts'
import { LESSON, OUTCOME, PLAN, rowsOf, SMALL } from './places.ts'

const file = rowsOf('together', OUTCOME, {})
const film = rowsOf('together', LESSON, { kind: 'video' })
const plan: Make = (c) => pdf(c, 'plain-3.pdf', { pages: 3 })
const clip: Make = (c) => lesson(c)

export const TOGETHER: readonly Row[] = [
  file('second-film', 'a second video where one is taken', (c) => lesson(c, { seconds: 3 }), {
    before: [{ slot: 'student_outcome', make: clip }],
    expect: { state: 'rejected', problems: { ...SMALL, KIND_LIMIT_EXCEEDED: 'reject' } },
  }),
  file('pdf-beside-film', 'a PDF beside the one video', plan, {
    before: [{ slot: 'student_outcome', make: clip }],
    expect: { measured: { kind: 'pdf', pages: 3 } },
  }),
  file('same-file-elsewhere', 'the lesson plan once more, as an outcome', plan, {
    before: [{ slot: 'lesson_plan', make: plan }],
    expect: { state: 'rejected', problems: { DUPLICATE_IN_SUBMISSION: 'reject' } },
  }),
  file('same-file-again', 'the same lesson plan once more in its own slot: it takes its own place', plan, {
    place: PLAN,
    before: [{ slot: 'lesson_plan', make: plan }],
    expect: { measured: { kind: 'pdf', pages: 3 } },
  }),
  film('as-planned', '59 seconds longer than the ten minutes of the plan', (c) => long(c, 659), {
    plannedMinutes: 10,
    expect: { seconds: 659 },
  }),
  film('longer-than-planned', 'a minute longer than the plan', (c) => long(c, 661), {
    plannedMinutes: 10,
    expect: { problems: { PLAN_TIME_MISMATCH: 'warn' }, seconds: 661 },
  }),
]
