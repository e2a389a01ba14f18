import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { shippedProfilesDir } from '../../../../src/submissions/profiles/loader.ts'
import { isEnforced } from '../../../../src/submissions/profiles/verification.ts'
import { RULE_CODES } from '../../../../src/submissions/rules/codes.ts'
import { catalogue, slotOf } from '../support.ts'

const POSITIONS = ['teacher', 'school_admin', 'supervisor', 'education_admin']
const RANKS = ['K2', 'K3', 'K4', 'K5']
const KEYS = POSITIONS.flatMap((position) => RANKS.map((rank) => `${position}.${rank}@1`))

describe('shipped profiles', () => {
  it('are sixteen files, all of which load', () => {
    expect(readdirSync(shippedProfilesDir()).sort()).toEqual(KEYS.map((key) => `${key}.json`).sort())
    expect(
      catalogue
        .list()
        .map((profile) => profile.key)
        .sort(),
    ).toEqual([...KEYS].sort())
  })

  it.each(KEYS)('%s has a severity for every rule, so that a new default cannot change it', (key) => {
    const profile = catalogue.get(key)
    expect(Object.keys(profile?.data.severities ?? {}).sort()).toEqual([...RULE_CODES].sort())
  })

  it.each(KEYS)('%s has a verification for every media rule', (key) => {
    const data = catalogue.get(key)?.data
    const entries = [...(data?.slots ?? []).flatMap((slot) => slot.media), ...Object.values(data?.mediaDefaults ?? {})]
    for (const entry of entries) {
      const unjudged = ['kind', 'verification', 'extensions', 'mimeTypes', 'remediableContainers', 'renditions']
      const fields = Object.keys(entry).filter((field) => !unjudged.includes(field))
      expect(Object.keys(entry.verification ?? {})).toEqual(expect.arrayContaining(fields))
    }
  })

  it.each(['supervisor', 'education_admin'])('%s is a placeholder that nothing can pin', (position) => {
    for (const rank of RANKS) {
      expect(catalogue.get(`${position}.${rank}`)?.enabled).toBe(false)
      expect(() => catalogue.pin(`${position}.${rank}@1`)).toThrow(expect.objectContaining({ code: 'PROFILE_UNKNOWN' }))
    }
  })

  it.each([
    ['teacher.K2', ['lesson_plan', 'teaching_video', 'inspiration_video', 'student_outcome']],
    ['teacher.K4', ['lesson_plan', 'teaching_video', 'inspiration_video', 'student_outcome', 'academic_work']],
    [
      'teacher.K5',
      [
        'lesson_plan',
        'teaching_video',
        'inspiration_video',
        'student_outcome',
        'research_work',
        'innovation_work',
        'published_article',
      ],
    ],
    ['school_admin.K3', ['development_plan_report', 'development_plan_video', 'admin_outcome_video']],
  ])('%s requires %j', (id, slots) => {
    expect(catalogue.pin(id).slots.map((slot) => slot.id)).toEqual(slots)
  })

  it('limit the teaching video to 60 minutes and the others to 10', () => {
    expect(slotOf('teacher.K4', 'teaching_video').media[0]?.maxDurationSeconds).toBe(3600)
    expect(slotOf('teacher.K4', 'inspiration_video').media[0]?.maxDurationSeconds).toBe(600)
    expect(slotOf('teacher.K4', 'student_outcome')).toMatchObject({
      min: 1,
      max: 3,
      maxPerKind: { video: 1 },
      media: [
        { kind: 'video', maxDurationSeconds: 600 },
        { kind: 'pdf', maxPages: 10 },
      ],
    })
  })

  it('have award evidence as an alternative to academic work, but disabled', () => {
    for (const id of ['teacher.K4', 'teacher.K5', 'school_admin.K4', 'school_admin.K5']) {
      const profile = catalogue.pin(id)
      expect(profile.data.alternatives?.[0]?.anyOf[1]).toEqual(['award_evidence'])
      expect(profile.alternatives).toEqual([])
      expect(profile.slots.map((slot) => slot.id)).not.toContain('award_evidence')
    }
  })

  it('have uncertain durations as data, but do not enforce them', () => {
    const profile = catalogue.pin('school_admin.K4')
    expect(profile.data.mediaDefaults?.video).toMatchObject({
      maxDurationSeconds: 600,
      verification: { maxDurationSeconds: 'memory' },
    })
    expect(slotOf('school_admin.K4', 'admin_outcome_video').media[0]).not.toHaveProperty('maxDurationSeconds')
  })

  it('require files also if counts are only inferred: an empty submission must not be complete', () => {
    const slot = slotOf('school_admin.K2', 'development_plan_report')
    expect(slot.min).toBe(1)
    expect(catalogue.pin('school_admin.K2').data.slots[0]?.verification?.count).toBe('inferred')
  })

  it.each(KEYS)('%s makes an MP4 of every video, with a poster that may fail, and a picture of every PDF', (key) => {
    for (const media of catalogue.get(key)?.slots.flatMap((slot) => slot.media) ?? []) {
      const made = media.renditions.map(({ name, kind, required }) => ({ name, kind, required }))
      expect(made).toEqual(
        media.kind === 'video'
          ? [
              { name: 'video', kind: 'mp4', required: true },
              { name: 'poster', kind: 'poster', required: false },
            ]
          : [{ name: 'page', kind: 'page', required: false }],
      )
    }
  })
})

it.each([
  ['seed', true],
  ['secondary', true],
  ['default', true],
  [undefined, true],
  ['inferred', false],
  ['memory', false],
  ['unknown', false],
] as const)('a value marked %s is enforced: %s', (word, enforced) => {
  expect(isEnforced(word)).toBe(enforced)
})
