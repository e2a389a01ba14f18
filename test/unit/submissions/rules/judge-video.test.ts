import { describe, expect, it } from 'vitest'
import type { Measured } from '../../../../src/records/upload-record.ts'
import type { SlotRules } from '../../../../src/submissions/profiles/profile.ts'
import { type JudgeInput, judge } from '../../../../src/submissions/rules/judge.ts'
import { changedProfile, lasting, pdf, slotOf, video, without } from '../support.ts'

const teaching = slotOf('teacher.K4', 'teaching_video')
const inspiration = slotOf('teacher.K4', 'inspiration_video')
const outcome = slotOf('teacher.K4', 'student_outcome')
const GIB = 1024 ** 3

function verdict(slot: SlotRules, measured: Measured, changes: Partial<JudgeInput> = {}) {
  const declared = { filename: 'clip.mp4', type: 'video/mp4', bytes: 1_000_000 }
  return judge({ slot, measured, declared, actualBytes: 1_000_000, ...changes })
}

const codes = (...args: Parameters<typeof verdict>): string[] => verdict(...args).problems.map((p) => p.code)

it('has no problem with a good clip', () => {
  const { problems, accepted, checks } = verdict(inspiration, video())
  expect(problems).toEqual([])
  expect(accepted).toBe(true)
  expect(checks.filter((check) => check.state === 'pending').map((check) => check.name)).toEqual([
    'decodable',
    'silence',
    'black',
    'frozen',
    'lengths',
    'duplicate',
  ])
  expect(checks.filter((check) => check.state !== 'pending').every((check) => check.state === 'passed')).toBe(true)
})

// Each rule on both sides of its limit: [what, slot, measured, code or null, accepted]
type Row = [string, SlotRules, Measured, string | null, boolean]
const rows: Row[] = [
  ['60:00', teaching, lasting(3600), null, true],
  ['60:01.00, a camera stopped at 60:00', teaching, lasting(3601), null, true],
  ['60:01.04', teaching, lasting(3601.04), 'DURATION_EXCEEDED', false],
  ['10:01 of inspiration', inspiration, lasting(601), null, true],
  ['10:02 of inspiration', inspiration, lasting(602), 'DURATION_EXCEEDED', false],
  ['a second', inspiration, lasting(1), null, true],
  ['less than a second', inspiration, lasting(0.9), 'DURATION_TOO_SHORT', false],
  ['a lesson of ten minutes', teaching, lasting(600), null, true],
  ['a lesson of less than ten minutes', teaching, lasting(599), 'DURATION_SHORT', true],
  ['a header that claims 12 s more', inspiration, video({ headerDurationSeconds: 602 }), null, true],
  ['a header that claims 13 s more', inspiration, video({ headerDurationSeconds: 603 }), 'DURATION_INCONSISTENT', true],
  ['a header that claims 13 s less', inspiration, video({ headerDurationSeconds: 577 }), 'DURATION_INCONSISTENT', true],
  ['a header without a duration', inspiration, video({ headerDurationSeconds: 0 }), null, true],
  ['a fragmented header', inspiration, video({ headerDurationSeconds: 2, fragmented: true }), null, true],
  [
    'no length at all',
    inspiration,
    without(video(), 'durationSeconds', 'editedDurationSeconds'),
    'INCOMPLETE_FILE',
    false,
  ],
  ['bytes missing', inspiration, video({ complete: false }), 'INCOMPLETE_FILE', false],
  ['no picture', inspiration, without(video(), 'videoCodec'), 'NO_VIDEO', false],
  ['no sound in a video that is spoken', inspiration, without(video(), 'audioCodec'), 'NO_AUDIO', false],
  ['no sound in work of learners', outcome, without(video(), 'audioCodec'), 'NO_AUDIO', true],
  ['a locked video', inspiration, video({ encrypted: true }), 'VIDEO_UNDECODABLE', false],
  ['HEVC', inspiration, video({ videoCodec: 'hevc' }), 'CODEC_UNCOMMON', true],
  ['HEVC by its sample entry', inspiration, video({ videoCodec: 'hvc1' }), 'CODEC_UNCOMMON', true],
  ['H.264 and AAC by their sample entries', inspiration, video({ videoCodec: 'avc1', audioCodec: 'mp4a' }), null, true],
  ['Opus', inspiration, video({ audioCodec: 'opus' }), 'CODEC_UNCOMMON', true],
  ['a short side of 480', inspiration, video({ width: 854, height: 480 }), null, true],
  ['a short side of 478', inspiration, video({ width: 850, height: 478 }), 'LOW_RESOLUTION', true],
  ['60 fps, as cameras count', inspiration, video({ framesPerSecond: 60.0002 }), null, true],
  ['61 fps', inspiration, video({ framesPerSecond: 61 }), 'FRAME_RATE_HIGH', true],
  ['upright', inspiration, video({ width: 720, height: 1280 }), 'PORTRAIT', true],
  ['upright by rotation', inspiration, video({ rotation: 90 }), 'PORTRAIT', true],
  ['a phone on its other side', inspiration, video({ width: 720, height: 1280, rotation: 270 }), null, true],
  ['upside down', inspiration, video({ rotation: 180 }), null, true],
  ['a square picture', inspiration, video({ width: 720, height: 720 }), null, true],
  ['the index behind the media', inspiration, video({ indexFirst: false }), 'NOT_STREAMABLE', true],
  ['two sound tracks', inspiration, video({ audioTracks: 2 }), 'MULTI_AUDIO', true],
  ['WMV', inspiration, video({ container: 'asf' }), 'CONTAINER_NOT_ALLOWED', false],
  ['FLV', inspiration, video({ container: 'flv' }), 'CONTAINER_NOT_ALLOWED', false],
  ['a PDF', inspiration, pdf(), 'TYPE_MISMATCH', false],
  ['a Word file', inspiration, { kind: 'other', container: 'zip' }, 'TYPE_MISMATCH', false],
  ['a picture', outcome, { kind: 'image', container: 'jpeg' }, 'TYPE_MISMATCH', false],
]

describe('one rule at a time', () => {
  it.each(rows)('%s', (_, slot, measured, code, accepted) => {
    const { problems, accepted: actual } = verdict(slot, measured)
    expect(problems.map((problem) => problem.code)).toEqual(code === null ? [] : [code])
    expect(actual).toBe(accepted)
  })
})

describe('containers', () => {
  it.each(['mov', 'matroska', 'webm', 'avi', 'mpegts', '3gp'])('%s is accepted and converted', (container) => {
    const { problems, accepted, checks } = verdict(inspiration, video({ container, indexFirst: false }))
    expect(accepted).toBe(true)
    expect(problems).toMatchObject([
      { code: 'CONTAINER_CONVERTED', severity: 'warn', limit: ['mp4'], actual: container },
    ])
    expect(checks).toContainEqual({ name: 'container', state: 'warned' })
  })

  it('converts any video if the list of containers is only inferred', () => {
    const slot = slotOf('school_admin.K4', 'admin_outcome_video')
    expect(codes(slot, video({ container: 'flv' }))).toEqual(['CONTAINER_CONVERTED'])
  })
})

describe('size', () => {
  it('accepts 10 GiB and not a byte more', () => {
    expect(codes(inspiration, video(), { actualBytes: 10 * GIB })).toEqual([])
    const { problems, accepted } = verdict(inspiration, video(), { actualBytes: 10 * GIB + 1 })
    expect(problems).toMatchObject([{ code: 'UPLOAD_TOO_LARGE', limit: 10 * GIB, actual: 10 * GIB + 1 }])
    expect(accepted).toBe(false)
  })

  it('an empty file is empty, and nothing else', () => {
    const { problems, checks } = verdict(inspiration, { kind: 'other', container: 'unknown' }, { actualBytes: 0 })
    expect(problems.map((problem) => problem.code)).toEqual(['UPLOAD_EMPTY'])
    expect(checks).toEqual([{ name: 'type', state: 'failed' }])
  })
})

describe('durations that contradict each other', () => {
  it('judges a forged header and edit list by the samples', () => {
    const forged = video({ durationSeconds: 3900, headerDurationSeconds: 650, editedDurationSeconds: 650 })
    const { problems, accepted } = verdict(teaching, forged)
    expect(problems.map((problem) => problem.code)).toEqual(['DURATION_EXCEEDED', 'DURATION_INCONSISTENT'])
    expect(problems[0]).toMatchObject({ limit: 3600, actual: 3900 })
    expect(accepted).toBe(false)
  })

  it('accepts a normal trim near the limit: the edit list hides the samples before the cut', () => {
    expect(
      codes(teaching, video({ durationSeconds: 3605, headerDurationSeconds: 3600, editedDurationSeconds: 3600 })),
    ).toEqual([])
    expect(
      codes(teaching, video({ durationSeconds: 3612, headerDurationSeconds: 3600, editedDurationSeconds: 3600 })),
    ).toEqual([])
    expect(
      codes(teaching, video({ durationSeconds: 3613, headerDurationSeconds: 3600, editedDurationSeconds: 3600 })),
    ).toEqual(['DURATION_EXCEEDED', 'DURATION_INCONSISTENT'])
  })

  it('does not trust a long header either', () => {
    const { problems, accepted } = verdict(inspiration, video({ headerDurationSeconds: 36_000 }))
    expect(problems).toMatchObject([{ code: 'DURATION_INCONSISTENT', severity: 'warn', limit: 12 }])
    expect(accepted).toBe(true)
  })

  it('uses the longest track if only tracks were measured', () => {
    const tracks = without(
      video({ videoDurationSeconds: 30, audioDurationSeconds: 700, headerDurationSeconds: 700 }),
      'durationSeconds',
      'editedDurationSeconds',
    )
    expect(codes(inspiration, tracks)).toEqual(['DURATION_EXCEEDED'])
  })
})

describe('what the profile decides', () => {
  const softer = changedProfile('teacher.K4', (data) => {
    for (const slot of data.slots) {
      slot.severities = { DURATION_EXCEEDED: 'warn', PORTRAIT: 'off', CODEC_UNCOMMON: 'reject' }
    }
  })
  const slot = softer.slots.find((candidate) => candidate.id === 'inspiration_video') ?? inspiration

  it('warns, rejects or ignores as configured', () => {
    expect(verdict(slot, lasting(700))).toMatchObject({
      accepted: true,
      problems: [{ code: 'DURATION_EXCEEDED', severity: 'warn' }],
    })
    expect(verdict(slot, video({ videoCodec: 'hevc' })).accepted).toBe(false)
    const upright = verdict(slot, video({ rotation: 90 }))
    expect(upright.problems).toEqual([])
    expect(upright.checks.map((check) => check.name)).not.toContain('orientation')
  })

  it('uses the tolerance of the caller instead of its own', () => {
    expect(codes(inspiration, lasting(600.5), { toleranceSeconds: 0 })).toEqual(['DURATION_EXCEEDED'])
    expect(codes(inspiration, lasting(605), { toleranceSeconds: 5 })).toEqual([])
  })
})

describe('numbers per kind', () => {
  it('accepts a second PDF, but not a second video', () => {
    expect(codes(outcome, pdf(), { siblings: [{ kind: 'pdf' }, { kind: 'video' }] })).toEqual([])
    expect(codes(outcome, video(), { siblings: [{ kind: 'pdf' }] })).toEqual([])
    expect(verdict(outcome, video(), { siblings: [{ kind: 'video' }] })).toMatchObject({
      accepted: false,
      problems: [{ code: 'KIND_LIMIT_EXCEEDED', limit: 1, actual: 2 }],
    })
  })
})

it('reports all problems of a file, and leaves no check pending on a rejected one', () => {
  const { problems, checks } = verdict(
    inspiration,
    without(lasting(700, { container: 'mov', videoCodec: 'hevc', rotation: 90 }), 'audioCodec'),
  )
  expect(problems.map((problem) => problem.code)).toEqual([
    'CONTAINER_CONVERTED',
    'NO_AUDIO',
    'DURATION_EXCEEDED',
    'CODEC_UNCOMMON',
    'PORTRAIT',
  ])
  expect(checks).toContainEqual({ name: 'duration', state: 'failed' })
  expect(checks).toContainEqual({ name: 'codec', state: 'warned' })
  expect(checks).toContainEqual({ name: 'resolution', state: 'passed' })
  expect(checks.some((check) => check.state === 'pending')).toBe(false)
})

it('accepts a file that was not measured because of our own limit, with a note', () => {
  const measured: Measured = { kind: 'video', container: 'mp4', unchecked: true }
  expect(verdict(inspiration, measured)).toMatchObject({
    accepted: true,
    problems: [{ code: 'VIDEO_UNCHECKED', severity: 'warn' }],
  })
})
