// Small profiles for tests: one slot for one PDF, one for up to two files, and a stricter second version.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const label = (en: string) => ({ th: `ไทย ${en}`, en })

function tiny(version: number, maxPages: number) {
  return {
    schema: 1,
    id: 'tiny',
    version,
    enabled: true,
    position: { id: 'tester', label: label('Tester') },
    rank: { code: 'T1', label: label('First') },
    domains: [{ id: 'd1', label: label('Domain') }],
    mediaDefaults: {
      pdf: {
        containers: ['pdf'],
        extensions: ['pdf'],
        mimeTypes: ['application/pdf'],
        maxBytes: 5000,
        maxPages,
        renditions: [{ name: 'page', kind: 'page', required: false }],
      },
    },
    slots: [
      {
        id: 'plan',
        label: label('Plan'),
        domain: 'd1',
        min: 1,
        max: 1,
        media: [{ kind: 'pdf' }],
        metadata: [
          {
            name: 'plannedMinutes',
            label: label('Minutes'),
            type: 'integer',
            required: false,
            minimum: 1,
            maximum: 600,
          },
          {
            name: 'workType',
            label: label('Type'),
            type: 'string',
            required: false,
            options: ['research', 'other'],
          },
        ],
      },
      { id: 'extras', label: label('Extras'), domain: 'd1', min: 0, max: 2, media: [{ kind: 'pdf' }] },
    ],
  }
}

/** Writes `tiny@1` (at most ten pages a file) and `tiny@2` (at most two) into a folder for PROFILES_DIR. */
export async function writeTestProfiles(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const profile of [tiny(1, 10), tiny(2, 2)])
    await writeFile(join(dir, `tiny@${profile.version}.json`), JSON.stringify(profile))
}
