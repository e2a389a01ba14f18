import { expect, it } from 'vitest'
import type { Measured } from '../../../../src/records/upload-record.ts'
import type { SlotRules } from '../../../../src/submissions/profiles/profile.ts'
import { judge } from '../../../../src/submissions/rules/judge.ts'
import { pdf, slotOf, video, without } from '../support.ts'

const plan = slotOf('teacher.K4', 'lesson_plan')
const outcome = slotOf('teacher.K4', 'student_outcome')
const MIB = 1024 ** 2

const rows: [string, SlotRules, Measured, string | null, boolean, number?][] = [
  ['a sound PDF', plan, pdf(), null, true],
  ['10 pages of work', outcome, pdf({ pages: 10 }), null, true],
  ['11 pages of work', outcome, pdf({ pages: 11 }), 'PDF_TOO_MANY_PAGES', false],
  ['500 pages where no limit is known', plan, pdf({ pages: 500 }), null, true],
  ['one page', plan, pdf({ pages: 1 }), null, true],
  ['no page', plan, pdf({ pages: 0 }), 'PDF_TOO_FEW_PAGES', false],
  ['a broken file', plan, without(pdf({ complete: false }), 'pages'), 'PDF_DAMAGED', false],
  ['a file whose pages nobody can count', plan, without(pdf(), 'pages'), 'PDF_DAMAGED', false],
  ['a user password', plan, without(pdf({ encrypted: true, complete: false }), 'pages'), 'PDF_PASSWORD', false],
  ['an owner password only', plan, pdf({ encrypted: true }), 'PDF_RESTRICTED', true],
  ['JavaScript', plan, pdf({ activeContent: ['JAVASCRIPT', 'OPEN_ACTION'] }), 'PDF_ACTIVE_CONTENT', false],
  ['opening at page one', plan, pdf({ activeContent: ['OPEN_ACTION'] }), null, true],
  ['Acrobat’s own scripts of fields', plan, pdf({ activeContent: ['FIELD_SCRIPT'] }), null, true],
  ['an error on one page', plan, pdf({ flawedPages: [7] }), 'PDF_FLAWED', true],
  ['a page that is not drawn', plan, pdf({ complete: false, undrawnPages: [7] }), 'PDF_DAMAGED', false],
  ['four gibibytes in a kilobyte', plan, without(pdf({ tooComplex: true }), 'pages'), 'PDF_TOO_COMPLEX', false],
  ['more than our limits', plan, without(pdf({ unchecked: true }), 'pages', 'complete'), 'PDF_UNCHECKED', true],
  ['more than our limits, page by page', plan, pdf({ unchecked: true }), 'PDF_UNCHECKED', true],
  ['50 MiB', plan, pdf(), null, true, 50 * MIB],
  ['50 MiB and a byte', plan, pdf(), 'UPLOAD_TOO_LARGE', false, 50 * MIB + 1],
  ['a video', plan, video(), 'TYPE_MISMATCH', false],
]

it.each(rows)('%s', (_, slot, measured, code, accepted, actualBytes = 1000) => {
  const declared = { filename: 'plan.pdf', type: 'application/pdf', bytes: actualBytes }
  const verdict = judge({ slot, measured, declared, actualBytes })
  expect(verdict.problems.map((problem) => problem.code)).toEqual(code === null ? [] : [code])
  expect(verdict.accepted).toBe(accepted)
})

it('names only the dangerous parts of a PDF', () => {
  const measured = pdf({ activeContent: ['EMBEDDED_FILE', 'LAUNCH', 'OPEN_ACTION'] })
  const declared = { filename: null, type: null, bytes: null }
  const [problem] = judge({ slot: plan, measured, declared, actualBytes: 1000 }).problems
  expect(problem?.actual).toBe('EMBEDDED_FILE, LAUNCH')
})

it('names the pages that are not drawn, unless all are lost', () => {
  const declared = { filename: null, type: null, bytes: null }
  const problemOf = (measured: Measured) => judge({ slot: plan, measured, declared, actualBytes: 1000 }).problems[0]
  expect(problemOf(pdf({ complete: false, undrawnPages: [3, 7] }))?.actual).toBe('3, 7')
  expect(problemOf(pdf({ complete: false, undrawnPages: [3, 7] }))?.message.en).toContain('page 3, 7')
  expect(problemOf(pdf({ complete: false }))).not.toHaveProperty('actual')
})

it('accepts only the active content that the profile allows', () => {
  const media = plan.media.map((rules) => ({ ...rules, acceptedActiveContent: ['EMBEDDED_FILE'] }))
  const declared = { filename: null, type: null, bytes: null }
  const measured = pdf({ activeContent: ['EMBEDDED_FILE', 'FIELD_SCRIPT'] })
  const { problems } = judge({ slot: { ...plan, media }, measured, declared, actualBytes: 1000 })
  expect(problems.map(({ code, actual }) => [code, actual])).toEqual([['PDF_ACTIVE_CONTENT', 'FIELD_SCRIPT']])
})
