// What a worker makes of measurements: files that no tool opens, uploads without a submission, renditions as data.

import { describe, expect, it } from 'vitest'
import type { Measured } from '../../../src/records/upload-record.ts'
import { plannedRenditions, ruleOf } from '../../../src/submissions/planned-renditions.ts'
import type { SlotRules } from '../../../src/submissions/profiles/profile.ts'
import { judgeFile } from '../../../workers/lanes/judge-file.ts'
import { OPEN_SLOT } from '../../../workers/lanes/open-slot.ts'
import { signalMeasures } from '../../../workers/lanes/read-whole.ts'
import { givesUp } from '../../../workers/lanes/rendition-failure.ts'
import { ToolError, type ToolErrorCode } from '../../../workers/media/tool-error.ts'
import { lasting, slotOf, video } from '../submissions/support.ts'

const clip = slotOf('teacher.K4', 'teaching_video')
const declared = { filename: null, type: null, bytes: null }
const verdict = (slot: SlotRules, measured: Measured, unreadable = false) =>
  judgeFile({ slot, declared, actualBytes: 1000 }, { measured, unreadable })
const codes = ({ problems }: ReturnType<typeof verdict>) => problems.map(({ code }) => code)

describe('a file that no tool opens', () => {
  it('is rejected for that only, not for missing measurements', () => {
    const judged = verdict(clip, { kind: 'video', container: 'matroska' }, true)
    expect(judged.accepted).toBe(false)
    expect(codes(judged)).toContain('VIDEO_UNDECODABLE')
    expect(codes(judged)).not.toContain('NO_VIDEO')
    expect(codes(judged)).not.toContain('INCOMPLETE_FILE')
    expect(judged.checks.filter(({ state }) => state === 'pending')).toEqual([])
    expect(judged.checks).toContainEqual({ name: 'decodable', state: 'failed' })
  })

  it('is rejected for its type if the slot does not accept it', () => {
    const plan = slotOf('teacher.K4', 'lesson_plan')
    expect(codes(verdict(plan, { kind: 'video', container: 'mp4' }, true))).toEqual(['TYPE_MISMATCH'])
  })
})

describe('an upload without a submission', () => {
  it.each([
    ['of no known kind', { kind: 'other', container: 'unknown' }],
    ['without sound, upright and endless', lasting(50_000, { rotation: 90 })],
    ['of another container', video({ container: 'flv' })],
    ['a PDF', { kind: 'pdf', container: 'pdf', pages: 3, complete: true }],
    ['a picture', { kind: 'image', container: 'heif' }],
  ] as [string, Measured][])('is accepted: %s', (_, measured) => {
    expect(verdict(OPEN_SLOT, measured)).toMatchObject({ accepted: true, problems: [] })
  })

  it('is rejected if it cannot be read', () => {
    expect(codes(verdict(OPEN_SLOT, video({ complete: false })))).toEqual(['INCOMPLETE_FILE'])
    expect(codes(verdict(OPEN_SLOT, { kind: 'pdf', container: 'pdf', encrypted: true }))).toEqual(['PDF_PASSWORD'])
  })
})

describe('planned renditions', () => {
  it('are in the order in which people need them', () => {
    const [media, ...rest] = clip.media
    if (media === undefined) throw new Error('no rules')
    const renditions = [
      { name: 'large', kind: 'mp4' as const, required: true, later: true },
      { name: 'poster', kind: 'poster' as const, required: false },
      { name: 'video', kind: 'mp4' as const, required: true },
    ]
    const slot = { ...clip, media: [{ ...media, renditions }, ...rest] }
    const planned = plannedRenditions(slot, video({ container: 'mov' }))
    expect(planned.map(({ name }) => name)).toEqual(['video', 'poster', 'large'])
    expect(planned.every(({ state }) => state === 'waiting')).toBe(true)
    expect(planned.map(({ deliverable }) => deliverable)).toEqual([true, undefined, undefined])
  })

  it('keep their kind if the profile no longer has their rule', () => {
    const gone = { name: 'gone', kind: 'mp4' as const, required: true, state: 'waiting' as const }
    expect(ruleOf(clip, video(), gone)).toEqual({ name: 'gone', kind: 'mp4', required: true })
  })

  it('do not exist for files without renditions', () => {
    expect(plannedRenditions(clip, { kind: 'other', container: 'unknown' })).toEqual([])
  })
})

describe('signals', () => {
  it('become seconds of the judged length', () => {
    const measured = signalMeasures(lasting(100), {
      picture: { samples: 100, blackShare: 0.25, frozenShare: 0.5, jumpSeconds: [], seenSeconds: [] },
      sound: { seconds: 100, silentShare: 1, heardSeconds: [], peakDb: null, meanDb: null },
    })
    expect(measured).toEqual({ blackSeconds: 25, frozenSeconds: 50, silentSeconds: 100, meanVolumeDb: -91 })
  })

  it('are empty if nothing was measured', () => {
    expect(signalMeasures(lasting(100), { picture: null, sound: null })).toEqual({})
  })
})

describe('a rendition that failed', () => {
  const run = (attempts: number, lastAttempt = false) =>
    ({ lastAttempt, record: { lanes: { transcode: { generation: 1, attempts } } } }) as Parameters<
      typeof givesUp
    >[1]['run']
  const ours = (code: ToolErrorCode) => new ToolError(code, 'system', 'x')

  it('fails immediately if the file is the cause', () => {
    const error = new ToolError('INPUT_UNREADABLE', 'input', 'x')
    expect(givesUp(error, { required: true, run: run(1) })).toBe(true)
  })

  it('fails after many attempts if the tool fails each time, never because of the machine', () => {
    expect(givesUp(ours('TOOL_TIMEOUT'), { required: true, run: run(4, true) })).toBe(false)
    expect(givesUp(ours('TOOL_TIMEOUT'), { required: true, run: run(12) })).toBe(true)
    expect(givesUp(ours('OUTPUT_INVALID'), { required: true, run: run(1) })).toBe(true)
    expect(givesUp(ours('OUT_OF_SPACE'), { required: true, run: run(1000, true) })).toBe(false)
    expect(givesUp(new Error('store away'), { required: false, run: run(1000, true) })).toBe(false)
  })

  it('fails with the last attempt if it is optional', () => {
    expect(givesUp(ours('TOOL_STALLED'), { required: false, run: run(1) })).toBe(false)
    expect(givesUp(ours('TOOL_STALLED'), { required: false, run: run(4, true) })).toBe(true)
  })
})
