import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../../../src/core/errors.ts'
import { shippedProfilesDir } from '../../../../src/submissions/profiles/loader.ts'
import { DEFAULT_SEVERITIES, type ProblemCode, RULE_CODES } from '../../../../src/submissions/rules/codes.ts'
import type { ProblemFacts } from '../../../../src/submissions/rules/facts.ts'
import {
  bytes,
  clock,
  decimals,
  excess,
  formatName,
  kindName,
  moment,
  span,
} from '../../../../src/submissions/rules/format.ts'
import { problemOf, TEXTS } from '../../../../src/submissions/rules/texts.ts'

const name = { th: 'วีดิทัศน์การสอน', en: 'teaching video' }
const measure = { name, limit: 600, actual: 647 }

/** One example of each: the compiler asks for a new line here with every new code. */
const EXAMPLES: ProblemFacts = {
  UPLOAD_EMPTY: { name },
  UPLOAD_TOO_LARGE: { name, limit: 52_428_800, actual: 104_857_600 },
  TYPE_MISMATCH: { name, limit: ['video'], actual: 'zip', kind: 'other' },
  CONTAINER_NOT_ALLOWED: { name, limit: ['mp4'], actual: 'asf' },
  CONTAINER_CONVERTED: { name, limit: ['mp4'], actual: 'mov' },
  INCOMPLETE_FILE: { name },
  KIND_LIMIT_EXCEEDED: { name, limit: 1, actual: 2, kind: 'video' },
  DUPLICATE_IN_SUBMISSION: { name, other: { th: 'วีดิทัศน์อื่น', en: 'Other clip' }, actual: 'a' },
  MALWARE: { name, actual: 'Eicar-Test' },
  NO_VIDEO: { name },
  NO_AUDIO: { name },
  DURATION_EXCEEDED: measure,
  DURATION_TOO_SHORT: { name, limit: 1, actual: 0.4 },
  DURATION_SHORT: { name, limit: 600, actual: 300 },
  DURATION_INCONSISTENT: { name, limit: 12, actual: 100, claimedSeconds: 500, judgedSeconds: 600 },
  CODEC_UNCOMMON: { name, limit: ['h264'], actual: 'hevc' },
  LOW_RESOLUTION: { name, limit: 480, actual: 360 },
  FRAME_RATE_HIGH: { name, limit: 60, actual: 120 },
  PORTRAIT: { name, actual: '720x1280' },
  NOT_STREAMABLE: { name },
  MULTI_AUDIO: { name, limit: 1, actual: 2 },
  VIDEO_UNDECODABLE: { name },
  SILENT_AUDIO: { name },
  RECORDING_CUT_OFF: { name, actual: 18 },
  RECORDING_HAS_GAPS: { name, actual: 24.6, gaps: [{ startSeconds: 81.2, seconds: 24.6 }], more: 2 },
  VIDEO_UNCHECKED: { name },
  AUDIO_UNDECODABLE: { name, actual: 'aac' },
  BLACK_VIDEO: { name, limit: 50, actual: 60 },
  BLACK_VIDEO_ENTIRE: { name, limit: 95, actual: 99 },
  FROZEN_VIDEO: { name, limit: 80, actual: 90 },
  AV_LENGTH_MISMATCH: { name, limit: 5, actual: 12, videoSeconds: 600, audioSeconds: 588 },
  PLAN_TIME_MISMATCH: { name, limit: 3000, actual: 3300 },
  PDF_DAMAGED: { name },
  PDF_TOO_COMPLEX: { name },
  PDF_FLAWED: { name, actual: '3, 7' },
  PDF_UNCHECKED: { name },
  PDF_PASSWORD: { name },
  PDF_RESTRICTED: { name },
  PDF_TOO_MANY_PAGES: { name, limit: 10, actual: 12 },
  PDF_TOO_FEW_PAGES: { name, limit: 2, actual: 1 },
  PDF_ACTIVE_CONTENT: { name, actual: 'JAVASCRIPT' },
  SLOT_OVERFULL: { name, limit: 1, actual: 2, kind: 'video' },
  STORED_TOO_LATE: { name, limit: '2024-09-30T09:30:00.000Z', actual: '2024-09-30T10:00:00.000Z' },
  METADATA_MISSING: { name, actual: 'journal', field: { th: 'ชื่อวารสาร', en: 'Journal' } },
  DUPLICATE_ELSEWHERE: { name, actual: '2569-00123' },
}

const CODES = Object.keys(TEXTS) as ProblemCode[]
const words = <C extends ProblemCode>(code: C) => problemOf(code, 'warn', EXAMPLES[code]).message

describe('texts', () => {
  it('exist for every code with a severity', () => {
    expect(CODES).toEqual(expect.arrayContaining(RULE_CODES))
    expect(Object.keys(EXAMPLES).sort()).toEqual([...CODES].sort())
  })

  it.each(CODES)('%s speaks Thai and English, names the file, and is a whole sentence', (code) => {
    const { th, en } = words(code)
    expect(th).toMatch(/[\u0e00-\u0e7f]/)
    expect(th).toContain(name.th)
    expect(en).toContain(name.en)
    expect(en).toMatch(/\.$/)
    // Only format names and the like are in Latin letters in the Thai words, only names in Thai letters in the English.
    expect(en.replace(name.en, '')).not.toMatch(/[\u0e00-\u0e7f]/)
    for (const text of [th, en]) expect(text).not.toMatch(/undefined|NaN|null|\[object|\{|\}| {2}/)
  })

  it.each(RULE_CODES.filter((code) => DEFAULT_SEVERITIES[code] === 'reject'))(
    '%s says in Thai what to do next',
    (code) => expect(words(code).th).toContain('โปรด'),
  )

  it('uses one Thai term each: วีดิทัศน์ for video, ส่ง for upload, เปลี่ยนไฟล์ for replace, ฉบับสำหรับรับชม for the copy', () => {
    const texts = [...CODES.map((code) => words(code).th), ...Object.values(ERRORS).map(({ th }) => th)]
    const dir = shippedProfilesDir()
    const profiles = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'utf8'))
    for (const text of [...texts, ...profiles, kindName('video').th])
      expect(text).not.toMatch(/คลิป|วิดีโอ|วีดีโอ|วิดิทัศน์|อัปโหลด|อัพโหลด|แทนที่|สำเนา/)
  })

  it('shows a duration, its limit and the excess in readable units', () => {
    const { message } = problemOf('DURATION_EXCEEDED', 'reject', { name, limit: 3600, actual: 3647.2 })
    expect(message.th).toMatch(/^วีดิทัศน์การสอนยาว 60:47 เกิน 60 นาทีไป 47 วินาที /)
    expect(message.en).toMatch(/^The teaching video is 60:47 long, 47 s over the limit of 60 minutes\. /)
  })

  it('puts limit and measured value into the problem as numbers', () => {
    expect(problemOf('PDF_TOO_MANY_PAGES', 'reject', EXAMPLES.PDF_TOO_MANY_PAGES)).toMatchObject({
      code: 'PDF_TOO_MANY_PAGES',
      severity: 'reject',
      limit: 10,
      actual: 12,
    })
    expect(problemOf('NO_AUDIO', 'warn', { name })).not.toHaveProperty('limit')
  })

  it('shows times in Thai time and the Buddhist year', () => {
    const { th, en } = words('STORED_TOO_LATE')
    expect(th).toContain('30 ก.ย. 2567')
    expect(th).toContain('17:00:00 น.')
    expect(en).toContain('30 Sept 2024, 16:30:00 (Thai time)')
  })
})

describe('measures', () => {
  it.each([
    [47, '0:47'],
    [3599.99, '59:59'],
    [3647, '60:47'],
    [7505, '125:05'],
  ])('%d s reads %s', (seconds, text) => expect(clock(seconds)).toBe(text))

  it.each([
    [0.4, '0.4 วินาที', '0.4 s'],
    [47, '47 วินาที', '47 s'],
    [60, '1 นาที', '1 minute'],
    [3600, '60 นาที', '60 minutes'],
    [125, '2 นาที 5 วินาที', '2 min 5 s'],
  ])('%d s is %s, %s', (seconds, th, en) => expect(span(seconds)).toEqual({ th, en }))

  it('an excess is what a reader gets by subtracting, also below a second', () => {
    expect(excess(3601.9, 3600).en).toBe('1 s')
    expect(excess(3600.3, 3600).en).toBe('0.3 s')
  })

  it.each([
    [1000, '1000 bytes'],
    [52_428_800, '50 MB'],
    [10 * 1024 ** 3, '10 GB'],
    [1_610_612_736, '1.5 GB'],
  ])('%d bytes are %s', (count, text) => expect(bytes(count)).toBe(text))

  it('rounds to one decimal', () => expect([decimals(29.97), decimals(60)]).toEqual(['30', '60']))

  it('shows format names, also hostile ones', () => {
    expect(['matroska', 'mp4', 'constructor'].map(formatName)).toEqual(['MKV', 'MP4', 'CONSTRUCTOR'])
  })

  it('shows a time in both calendars', () => {
    expect(moment('2024-12-31T17:00:00.000Z').th).toContain('2568')
  })
})
