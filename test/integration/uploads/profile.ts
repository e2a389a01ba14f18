// A requirement profile for upload tests: one slot for one PDF, one for a film, one for several files, one that
// takes large files of either kind.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'

export const PROFILE = 'intake@1'
/** The limit of slot `plan`, bytes. */
export const PLAN_MAX_BYTES = 1_000_000

const both = (en: string) => ({ th: `ไทย ${en}`, en })

function intake(): ProfileData {
  return {
    schema: 1,
    id: 'intake',
    version: 1,
    enabled: true,
    position: { id: 'tester', label: both('Tester') },
    rank: { code: 'T1', label: both('First') },
    domains: [{ id: 'd1', label: both('Domain') }],
    mediaDefaults: {
      pdf: {
        containers: ['pdf'],
        extensions: ['pdf'],
        mimeTypes: ['application/pdf'],
        maxBytes: 200_000_000,
        renditions: [{ name: 'page', kind: 'page', required: false }],
      },
      video: {
        containers: ['mp4'],
        remediableContainers: ['mov'],
        extensions: ['mp4', 'mov'],
        mimeTypes: ['video/mp4'],
        maxBytes: 500_000_000,
        renditions: [{ name: 'video', kind: 'mp4', required: true }],
      },
    },
    slots: [
      {
        id: 'plan',
        label: both('Plan'),
        domain: 'd1',
        min: 1,
        max: 1,
        media: [{ kind: 'pdf', maxBytes: PLAN_MAX_BYTES }],
      },
      { id: 'film', label: both('Film'), domain: 'd1', min: 0, max: 1, media: [{ kind: 'video' }] },
      {
        id: 'extras',
        label: both('Extras'),
        domain: 'd1',
        min: 0,
        max: 2,
        media: [{ kind: 'pdf' }, { kind: 'video' }],
      },
    ],
  }
}

/** Writes the profile into a folder for PROFILES_DIR. */
export async function writeProfile(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, `${PROFILE}.json`), JSON.stringify(intake()))
}
