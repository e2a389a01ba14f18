// Requirement profiles made for tests: small limits, so that small files can break them.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProfileData } from '../../src/submissions/profiles/schema.ts'

/** For uploads: a slot for one PDF, one for a film, one for several files of either kind. */
export const INTAKE = 'intake@1'
/** The limit of its slot `plan`, bytes. */
export const PLAN_MAX_BYTES = 1_000_000

const both = (en: string) => ({ th: `ไทย ${en}`, en })

function profile(id: string, version: number, rest: Pick<ProfileData, 'mediaDefaults' | 'slots'>): ProfileData {
  return {
    schema: 1,
    id,
    version,
    enabled: true,
    position: { id: 'tester', label: both('Tester') },
    rank: { code: 'T1', label: both('First') },
    domains: [{ id: 'd1', label: both('Domain') }],
    ...rest,
  }
}

type Slot = ProfileData['slots'][number]

function slot(id: string, min: number, max: number, media: Slot['media'], more: Partial<Slot> = {}): Slot {
  return { id, label: both(id), domain: 'd1', min, max, media, ...more }
}

const PDF = {
  containers: ['pdf' as const],
  extensions: ['pdf'],
  mimeTypes: ['application/pdf'],
  renditions: [{ name: 'page', kind: 'page' as const, required: false }],
}
const VIDEO = { containers: ['mp4' as const], extensions: ['mp4', 'mov'], mimeTypes: ['video/mp4'] }
const COPIES = [
  { name: 'video', kind: 'mp4' as const, required: true, maxShortSidePixels: 720, maxFramesPerSecond: 30 },
  { name: 'poster', kind: 'poster' as const, required: false },
]

function intake(): ProfileData {
  return profile('intake', 1, {
    mediaDefaults: {
      pdf: { ...PDF, maxBytes: 200_000_000 },
      video: {
        ...VIDEO,
        remediableContainers: ['mov'],
        maxBytes: 500_000_000,
        renditions: [{ name: 'video', kind: 'mp4', required: true }],
      },
    },
    slots: [
      slot('plan', 1, 1, [{ kind: 'pdf', maxBytes: PLAN_MAX_BYTES }]),
      slot('film', 0, 1, [{ kind: 'video' }]),
      slot('extras', 0, 2, [{ kind: 'pdf' }, { kind: 'video' }]),
    ],
  })
}

/** A slot for one PDF with values of its own, and one for up to two files; the second version takes fewer pages. */
function tiny(version: number, maxPages: number): ProfileData {
  const minutes = { name: 'plannedMinutes', label: both('Minutes'), type: 'integer' as const, required: false }
  const workType = { name: 'workType', label: both('Type'), type: 'string' as const, required: false }
  return profile('tiny', version, {
    mediaDefaults: { pdf: { ...PDF, maxBytes: 5000, maxPages } },
    slots: [
      slot('plan', 1, 1, [{ kind: 'pdf' }], {
        metadata: [
          { ...minutes, minimum: 1, maximum: 600 },
          { ...workType, options: ['research', 'other'] },
        ],
      }),
      slot('extras', 0, 2, [{ kind: 'pdf' }]),
    ],
  })
}

/** For workers: clips of eight seconds at most, PDFs of five pages; or with a change. */
export function testProfile(change: (profile: ProfileData) => void = () => undefined): ProfileData {
  // Of its own: what a test changes must not be another's.
  const made: ProfileData = structuredClone({
    ...profile('test', 1, {
      mediaDefaults: {
        video: {
          ...VIDEO,
          remediableContainers: ['mov', 'matroska', 'webm', 'avi', 'mpegts'],
          maxBytes: 100_000_000,
          renditions: COPIES,
        },
        pdf: {
          ...PDF,
          maxBytes: 10_000_000,
          renditions: [{ name: 'page', kind: 'page', required: false, maxShortSidePixels: 720 }],
        },
      },
      slots: [
        slot('clip', 1, 1, [{ kind: 'video', maxDurationSeconds: 8 }]),
        slot('plan', 0, 1, [{ kind: 'pdf', maxPages: 5 }]),
        slot('outcome', 0, 3, [{ kind: 'video' }, { kind: 'pdf' }], { maxPerKind: { video: 1, pdf: 2 } }),
      ],
    }),
    inspectionRejects: ['VIDEO_UNDECODABLE', 'BLACK_VIDEO_ENTIRE', 'DUPLICATE_IN_SUBMISSION'],
  })
  change(made)
  return made
}

/** Into the folder for PROFILES_DIR of every environment. */
export const TEST_PROFILES: readonly ProfileData[] = [intake(), tiny(1, 10), tiny(2, 2), testProfile()]

/** Into a folder for PROFILES_DIR; of two of one name the later one stays. */
export async function writeProfiles(dir: string, profiles: readonly ProfileData[] = TEST_PROFILES): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const profile of profiles)
    await writeFile(join(dir, `${profile.id}@${profile.version}.json`), JSON.stringify(profile))
}
