import { describe, expect, it } from 'vitest'
import type { Measured } from '../../../../src/records/upload-record.ts'
import { withInspection } from '../../../../src/submissions/rules/checks.ts'
import { type InspectionInput, judgeInspection } from '../../../../src/submissions/rules/inspect.ts'
import { judge } from '../../../../src/submissions/rules/judge.ts'
import { changedProfile, lasting, pdf, slotOf, without } from '../support.ts'

const teaching = slotOf('teacher.K4', 'teaching_video')
const outcome = slotOf('teacher.K4', 'student_outcome')
const label = { th: 'อื่น', en: 'other' }
const upload = { id: 'b', sha256: 'f00d', storedAt: '2024-09-02T01:00:00.000Z', replaces: null }

function inspected(measured: Measured, changes: Partial<InspectionInput> = {}) {
  return judgeInspection({ slot: teaching, measured, upload, sealed: false, ...changes })
}

const hour = (changes: Partial<Measured> = {}) => lasting(1000, { meanVolumeDb: -25, ...changes })

it('has no problem with a good clip, and decides every pending check', () => {
  const before = judge({
    slot: teaching,
    measured: hour(),
    declared: { filename: null, type: null, bytes: null },
    actualBytes: 1000,
  })
  const after = withInspection(before, inspected(hour()))
  expect(after.problems).toEqual([])
  expect(after.checks.map((check) => check.name)).toEqual(before.checks.map((check) => check.name))
  expect(after.checks.every((check) => check.state === 'passed')).toBe(true)
})

type Row = [string, Measured, Partial<InspectionInput>, string | null, boolean]
const rows: Row[] = [
  ['-59 dB', hour({ meanVolumeDb: -59 }), {}, null, true],
  ['-60 dB', hour({ meanVolumeDb: -60 }), {}, 'SILENT_AUDIO', true],
  ['silence for 94 %', hour({ silentSeconds: 940 }), {}, null, true],
  ['silence for 95 %', hour({ silentSeconds: 950 }), {}, 'SILENT_AUDIO', true],
  ['no sound track: said already', without(hour({ meanVolumeDb: -91 }), 'audioCodec'), {}, null, true],
  ['black for 49 %', hour({ blackSeconds: 490 }), {}, null, true],
  ['black for 50 %', hour({ blackSeconds: 500 }), {}, 'BLACK_VIDEO', true],
  ['black for 94 %', hour({ blackSeconds: 940 }), {}, 'BLACK_VIDEO', true],
  ['black for 95 %', hour({ blackSeconds: 950 }), {}, 'BLACK_VIDEO_ENTIRE', false],
  ['frozen for 79 %', hour({ frozenSeconds: 790 }), {}, null, true],
  ['frozen for 80 %', hour({ frozenSeconds: 800 }), {}, 'FROZEN_VIDEO', true],
  ['black, and therefore frozen', hour({ blackSeconds: 600, frozenSeconds: 900 }), {}, 'BLACK_VIDEO', true],
  ['a hole', hour({ gaps: [{ startSeconds: 81, seconds: 24 }] }), {}, 'RECORDING_HAS_GAPS', true],
  [
    'a hole in what is not to be watched at all',
    hour({ gaps: [{ startSeconds: 81, seconds: 900 }] }),
    { decodable: false },
    'VIDEO_UNDECODABLE',
    false,
  ],
  [
    'a damaged sound, which is not silent',
    hour({ audioDamaged: true, meanVolumeDb: -91 }),
    {},
    'AUDIO_UNDECODABLE',
    true,
  ],
  ['a limit of ours', hour({ unchecked: true }), {}, 'VIDEO_UNCHECKED', true],
  ['tracks 5 s apart', hour({ videoDurationSeconds: 1000, audioDurationSeconds: 995 }), {}, null, true],
  [
    'tracks 5.1 s apart',
    hour({ videoDurationSeconds: 1000, audioDurationSeconds: 994.9 }),
    {},
    'AV_LENGTH_MISMATCH',
    true,
  ],
  ['59 s beside the plan', lasting(3059), { plannedMinutes: 50 }, null, true],
  ['60 s beside the plan', lasting(3060), { plannedMinutes: 50 }, 'PLAN_TIME_MISMATCH', true],
  ['60 s under the plan', lasting(2940), { plannedMinutes: 50 }, 'PLAN_TIME_MISMATCH', true],
  ['a picture that decodes', hour(), { decodable: true }, null, true],
  ['a picture that does not', hour(), { decodable: false }, 'VIDEO_UNDECODABLE', false],
  ['packets missing', hour({ complete: false }), {}, 'INCOMPLETE_FILE', false],
  ['a clean scan', hour(), { malware: null }, null, true],
  ['a scan with a finding', hour(), { malware: 'Eicar-Test' }, 'MALWARE', false],
]

it.each(rows)('%s', (_, measured, changes, code, accepted) => {
  const verdict = inspected(measured, changes)
  expect(verdict.problems.map((problem) => problem.code)).toEqual(code === null ? [] : [code])
  expect(verdict.accepted).toBe(accepted)
})

describe('after a seal', () => {
  it('no file is rejected', () => {
    const verdict = inspected(hour({ blackSeconds: 1000 }), { sealed: true, malware: 'X', decodable: false })
    expect(verdict.accepted).toBe(true)
    expect(verdict.problems.map((problem) => problem.severity)).toEqual(['warn', 'warn', 'warn'])
  })
})

describe('a rejection that the profile does not name', () => {
  it('becomes a warning, whatever its severity', () => {
    const lenient = changedProfile('teacher.K4', (data) => {
      data.inspectionRejects = ['MALWARE']
      data.severities = { ...data.severities, SILENT_AUDIO: 'reject' }
    })
    const slot = lenient.slots[1] ?? teaching
    const verdict = inspected(hour({ meanVolumeDb: -91, blackSeconds: 1000 }), { slot })
    expect(verdict.problems.map((p) => [p.code, p.severity])).toEqual([
      ['SILENT_AUDIO', 'warn'],
      ['BLACK_VIDEO_ENTIRE', 'warn'],
    ])
    expect(inspected(hour(), { slot, malware: 'X' }).accepted).toBe(false)
  })
})

describe('the same bytes twice in a submission', () => {
  const earlier = {
    id: 'a',
    slot: 'inspiration_video',
    slotLabel: label,
    sha256: 'f00d',
    storedAt: '2024-09-02T00:00:00.000Z',
  }

  it('rejects the later one and names the slot of the earlier one', () => {
    expect(inspected(hour(), { siblings: [earlier] }).problems).toMatchObject([
      { code: 'DUPLICATE_IN_SUBMISSION', severity: 'reject', actual: 'a' },
    ])
  })

  it('of two inspected at the same time only one is the duplicate', () => {
    const [a, b] = [earlier, { ...earlier, id: 'b', slot: 'teaching_video', storedAt: upload.storedAt }]
    const ofB = inspected(hour(), { siblings: [a] })
    const ofA = judgeInspection({
      slot: slotOf('teacher.K4', 'inspiration_video'),
      measured: lasting(500),
      upload: { ...upload, id: 'a', storedAt: a.storedAt },
      siblings: [b],
      sealed: false,
    })
    expect([ofA.accepted, ofB.accepted]).toEqual([true, false])
  })

  it('stored in the same millisecond, the id decides', () => {
    const twin = { ...earlier, storedAt: upload.storedAt }
    expect(inspected(hour(), { siblings: [twin] }).accepted).toBe(false)
    expect(inspected(hour(), { siblings: [{ ...twin, id: 'c' }] }).accepted).toBe(true)
  })

  it.each([
    ['other bytes', { ...earlier, sha256: 'beef' }],
    ['bytes not known yet', { ...earlier, sha256: null }],
    ['its predecessor in a slot for one file', { ...earlier, slot: 'teaching_video' }],
  ])('%s are no duplicate', (_, sibling) => {
    expect(inspected(hour(), { siblings: [sibling] }).problems).toEqual([])
  })

  it('the same PDF twice in a slot for several is one too many, unless it replaces the other', () => {
    const sibling = { ...earlier, slot: 'student_outcome' }
    const twice = { slot: outcome, siblings: [sibling] }
    expect(inspected(pdf(), twice).accepted).toBe(false)
    expect(inspected(pdf(), { ...twice, upload: { ...upload, replaces: 'a' } }).accepted).toBe(true)
  })
})

describe('withInspection', () => {
  const before = judge({
    slot: teaching,
    measured: hour({ videoCodec: 'hevc' }),
    declared: { filename: null, type: null, bytes: null },
    actualBytes: 1000,
  })

  it('keeps the problems of validate and adds those of inspect', () => {
    const after = withInspection(before, inspected(hour({ meanVolumeDb: -91 })))
    expect(after.problems.map((problem) => problem.code)).toEqual(['CODEC_UNCOMMON', 'SILENT_AUDIO'])
    expect(after.checks).toContainEqual({ name: 'silence', state: 'warned' })
    expect(after.checks).toContainEqual({ name: 'codec', state: 'warned' })
    expect(after.accepted).toBe(true)
  })

  it('removes problems that a later inspection does not find', () => {
    const first = withInspection(before, inspected(hour({ meanVolumeDb: -91 })))
    const second = withInspection(first, inspected(hour()))
    expect(second.problems.map((problem) => problem.code)).toEqual(['CODEC_UNCOMMON'])
    expect(withInspection(second, inspected(hour()))).toEqual(second)
  })

  it('lists checks that need a comparison only if there is something to compare with', () => {
    const names = (changes: Partial<InspectionInput>) => inspected(hour(), changes).checks.map((c) => c.name)
    expect(names({})).not.toContain('malware')
    expect(names({ malware: null })).toContain('malware')
    expect(names({ plannedMinutes: 17 })).toContain('plannedTime')
    expect(names({ plannedMinutes: 17, slot: outcome })).not.toContain('plannedTime')
  })
})
