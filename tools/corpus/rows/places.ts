// Slots in which the rows of the corpus are handed in, and the problems of nearly every small test file there.

import type { Expected, Group, Make, Place, Row } from '../model.ts'

/** At most ten minutes, with sound. */
export const CLIP: Place = { profile: 'teacher.K4@1', slot: 'inspiration_video' }
/** At most an hour; less than ten minutes is unusual. */
export const LESSON: Place = { profile: 'teacher.K4@1', slot: 'teaching_video' }
/** A PDF without a limit of pages. */
export const PLAN: Place = { profile: 'teacher.K4@1', slot: 'lesson_plan' }
/** Three files: at most one video, with or without sound, and PDFs of at most ten pages. */
export const OUTCOME: Place = { profile: 'teacher.K4@1', slot: 'student_outcome' }
/** Containers, codecs and durations are not enforced here. */
export const SCHOOL: Place = { profile: 'school_admin.K5@1', slot: 'development_plan_video' }

/** Problem of all test files with a height of 180 pixels, which are made quickly. */
export const SMALL = { LOW_RESOLUTION: 'warn' } as const
export const CONVERTED = { CONTAINER_CONVERTED: 'warn' } as const
export const UNCOMMON = { CODEC_UNCOMMON: 'warn' } as const
export const GAPS = { RECORDING_HAS_GAPS: 'warn' } as const
export const INDEX_LAST = { NOT_STREAMABLE: 'advise' } as const

type More = Partial<Omit<Row, 'expect'>> & { expect?: Partial<Expected> }

/** Rows of a group. A file is expected to be ready, with no problem, unless said otherwise. */
export function rowsOf(group: Group, place: Place, kind: Expected['measured']) {
  return (name: string, about: string, make: Make, { expect = {}, ...more }: More = {}): Row => ({
    name,
    group,
    about,
    place,
    make,
    ...more,
    expect: { state: 'ready', problems: {}, ...expect, measured: { ...kind, ...expect.measured } },
  })
}
