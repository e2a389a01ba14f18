import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadProfiles, ProfileLoadError, shippedProfilesDir } from '../../../../src/submissions/profiles/loader.ts'
import type { ProfileData } from '../../../../src/submissions/profiles/schema.ts'
import { catalogue } from '../support.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'profiles-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const teacher = (change: (data: ProfileData) => void = () => {}): ProfileData => {
  const data = structuredClone(catalogue.pin('teacher.K2').data)
  change(data)
  return data
}

function write(name: string, content: unknown): void {
  writeFileSync(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content))
}

function faultsOf(...dirs: string[]): string[] {
  try {
    loadProfiles(dirs)
  } catch (error) {
    if (error instanceof ProfileLoadError) return error.errors.map((f) => `${f.path} ${f.message}`)
    throw error
  }
  return []
}

describe('loadProfiles', () => {
  it("adds the operator's own profiles to the shipped ones", () => {
    write(
      'school.X@3.json',
      teacher((data) => Object.assign(data, { id: 'school.X', version: 3 })),
    )
    const all = loadProfiles([shippedProfilesDir(), dir])
    expect(all.list()).toHaveLength(17)
    expect(all.pin('school.X').key).toBe('school.X@3')
  })

  it('returns the newest enabled version for an id, and the exact version for a key', () => {
    write('teacher.K2@1.json', teacher())
    write(
      'teacher.K2@10.json',
      teacher((data) => Object.assign(data, { version: 10 })),
    )
    write(
      'teacher.K2@11.json',
      teacher((data) => Object.assign(data, { version: 11, enabled: false })),
    )
    const all = loadProfiles([dir])
    expect(all.get('teacher.K2')?.version).toBe(10)
    expect(all.get('teacher.K2@1')?.version).toBe(1)
    expect(all.get('teacher.K2@11')?.enabled).toBe(false)
    expect(all.list().map((profile) => profile.version)).toEqual([1, 10, 11])
    expect(all.get('teacher.K2@2')).toBeUndefined()
    expect(() => all.pin('teacher.K2@11')).toThrow(expect.objectContaining({ code: 'PROFILE_UNKNOWN' }))
    expect(() => all.pin('nobody')).toThrow(expect.objectContaining({ code: 'PROFILE_UNKNOWN' }))
  })

  it('reports file and position of all errors of all files', () => {
    write('broken.json', '{ "id": ')
    write(
      'teacher.K2@1.json',
      teacher((data) => {
        Object.assign(data.slots[0] ?? {}, { min: -1, colour: 'red' })
        Object.assign(data.slots[1]?.label ?? {}, { th: '' })
        Object.assign(data.severities ?? {}, { NO_VIDEO: 'perhaps' })
      }),
    )
    const all = loadProfilesError(dir)
    expect(all.message).toContain(join(dir, 'broken.json'))
    expect(all.message).toContain('is not readable JSON')
    const text = all.errors.map((f) => `${f.path} ${f.message}`)
    expect(text).toEqual(
      expect.arrayContaining([
        expect.stringContaining('/slots/0/min'),
        '/slots/0 has unknown members: colour',
        expect.stringContaining('/slots/1/label/th'),
        '/severities/NO_VIDEO must be one of reject, warn, advise, off',
      ]),
    )
  })

  it('lists more than eight errors of one file', () => {
    write(
      'teacher.K2@1.json',
      teacher((data) => {
        for (const domain of data.domains) Object.assign(domain, { a: 1, passPercentEachEvaluator: 101 })
        for (const slot of data.slots) Object.assign(slot, { max: 0, min: 'one', shortLabel: 'x' })
      }),
    )
    expect(faultsOf(dir).length).toBeGreaterThan(12)
  })

  it.each<[string, (data: ProfileData) => void, string]>([
    [
      'a domain that is not there',
      (d) => Object.assign(d.slots[0] ?? {}, { domain: 'd9' }),
      '/slots/0/domain no domain d9',
    ],
    ['min over max', (d) => Object.assign(d.slots[0] ?? {}, { min: 2 }), '/slots/0/min min is greater than max'],
    [
      'a slot twice',
      (d) => d.slots.push(structuredClone(d.slots.slice(0, 1))[0] ?? fail()),
      '/slots lesson_plan appears more than once',
    ],
    [
      'a number for a kind that is not taken',
      (d) => Object.assign(d.slots[0] ?? {}, { maxPerKind: { video: 1 } }),
      '/slots/0/maxPerKind/video the slot does not accept video',
    ],
    [
      'a container in both lists',
      (d) => Object.assign(d.mediaDefaults?.video ?? {}, { remediableContainers: ['mp4'] }),
      '/slots/1/media/0/remediableContainers mp4 is also in containers',
    ],
    [
      'nothing said about size',
      (d) => delete d.mediaDefaults?.video?.maxBytes,
      '/slots/1/media/0 needs maxBytes, here or in mediaDefaults/video',
    ],
    [
      'a shortest above the longest',
      (d) => Object.assign(d.slots[1]?.media[0] ?? {}, { minDurationSeconds: 4000 }),
      '/slots/1/media/0/minDurationSeconds is greater than maxDurationSeconds',
    ],
    [
      'alternatives that point nowhere',
      (d) => Object.assign(d, { alternatives: [{ id: 'a', anyOf: [['lesson_plan'], ['essay']] }] }),
      '/alternatives/0/anyOf/1 no slot essay',
    ],
    [
      'a slot in two branches',
      (d) =>
        Object.assign(d, {
          alternatives: [{ id: 'a', anyOf: [['lesson_plan'], ['lesson_plan', 'teaching_video']] }],
        }),
      '/alternatives lesson_plan appears more than once',
    ],
    [
      'a planned time that nobody asks for',
      (d) => Object.assign(d.slots[0] ?? {}, { metadata: [] }),
      '/slots/1/plannedTime slot lesson_plan has no number field plannedMinutes',
    ],
    [
      'a misspelt verification',
      (d) => Object.assign(d.mediaDefaults?.video?.verification ?? {}, { maxDurationSecs: 'memory' }),
      '/mediaDefaults/video/verification has unknown members: maxDurationSecs',
    ],
    [
      'another name than the file',
      (d) => Object.assign(d, { version: 2 }),
      '/id the file must be named teacher.K2@2.json',
    ],
  ])('refuses %s', (_, change, fault) => {
    write('teacher.K2@1.json', teacher(change))
    expect(faultsOf(dir)).toContain(fault)
  })

  it('refuses the same version twice: a pinned profile has one meaning', () => {
    write('teacher.K2@1.json', teacher())
    const errors = faultsOf(shippedProfilesDir(), dir)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('teacher.K2@1 is already in')
  })

  it('reports a folder that cannot be read', () => {
    expect(faultsOf(join(dir, 'absent'))[0]).toContain('cannot be read')
  })

  it('does not enforce a rule with weak verification, unless the slot states it', () => {
    write(
      'teacher.K2@1.json',
      teacher((data) => {
        const words = data.mediaDefaults?.video?.verification ?? fail()
        words.videoCodecs = 'inferred'
        words.containers = 'inferred'
        words.maxFramesPerSecond = 'memory'
        Object.assign(data.slots[2]?.media[0] ?? {}, { maxFramesPerSecond: 25 })
      }),
    )
    const [, teaching, inspiration] = loadProfiles([dir]).pin('teacher.K2').slots
    expect(teaching?.media[0]).not.toHaveProperty('videoCodecs')
    expect(teaching?.media[0]).not.toHaveProperty('maxFramesPerSecond')
    expect(teaching?.media[0]?.otherContainers).toBe('convert')
    expect(inspiration?.media[0]?.maxFramesPerSecond).toBe(25)
  })
})

function loadProfilesError(...dirs: string[]): ProfileLoadError {
  try {
    loadProfiles(dirs)
  } catch (error) {
    if (error instanceof ProfileLoadError) return error
    throw error
  }
  throw new Error('the profiles loaded')
}

function fail(): never {
  throw new Error('the shipped profile is not as this test expects')
}
