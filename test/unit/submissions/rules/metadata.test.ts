import { expect, it } from 'vitest'
import { metadataProblem, missingMetadata } from '../../../../src/submissions/rules/metadata.ts'
import { slotOf } from '../support.ts'

const plan = slotOf('teacher.K4', 'lesson_plan')
const work = slotOf('teacher.K4', 'academic_work')
const article = slotOf('teacher.K5', 'published_article')

it.each([
  [plan, {}],
  [plan, { plannedMinutes: 50 }],
  [plan, { plannedMinutes: null }],
  [plan, { plannedMinutes: 1 }],
  [plan, { plannedMinutes: 600 }],
  [work, { workType: 'research' }],
  [article, { journal: 'ก'.repeat(300), tciGroup: 2, url: 'https://doi.org/x' }],
])('%# fits', (slot, values) => {
  expect(metadataProblem(slot, values)).toBeUndefined()
})

it.each([
  [plan, { plannedMinutes: 0 }, 'minimum'],
  [plan, { plannedMinutes: 601 }, 'maximum'],
  [plan, { plannedMinutes: 50.5 }, 'type'],
  [plan, { plannedMinutes: '50' }, 'type'],
  [plan, { plannedHours: 1 }, 'unknown'],
  [work, { workType: 'poem' }, 'options'],
  [article, { journal: 'ก'.repeat(301) }, 'maxLength'],
  [article, { tciGroup: Number.NaN }, 'type'],
])('%# breaks a rule', (slot, values, rule) => {
  const problem = metadataProblem(slot, values)
  expect(problem?.code).toBe('SLOT_METADATA_INVALID')
  expect(problem?.details).toEqual({ slot: slot.id, fields: [{ name: Object.keys(values)[0], rule }] })
})

it.each([[undefined], [null], [''], ['  ']])('a required field given as %j is missing', (value) => {
  const fields = article.metadata.map((field) => ({ ...field, required: field.name === 'journal' }))
  const slot = { ...article, metadata: fields }
  expect(missingMetadata(slot, { journal: value })).toMatchObject([{ code: 'METADATA_MISSING', actual: 'journal' }])
  expect(missingMetadata(slot, { journal: 'วารสาร' })).toEqual([])
})
