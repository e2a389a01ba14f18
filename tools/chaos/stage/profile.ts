// A requirement profile for the suite: one slot that must be filled, one more, and films of eight seconds at most.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'

export const PROFILE = 'chaos@1'

const both = (text: string) => ({ th: text, en: text })

const PROFILE_DATA: ProfileData = {
  schema: 1,
  id: 'chaos',
  version: 1,
  enabled: true,
  position: { id: 'tester', label: both('Tester') },
  rank: { code: 'C1', label: both('First') },
  domains: [{ id: 'd1', label: both('Domain') }],
  mediaDefaults: {
    video: {
      containers: ['mp4'],
      remediableContainers: ['matroska'],
      extensions: ['mp4', 'mkv'],
      mimeTypes: ['video/mp4'],
      maxBytes: 200_000_000,
      renditions: [
        { name: 'video', kind: 'mp4', required: true, maxShortSidePixels: 720, maxFramesPerSecond: 30 },
        { name: 'poster', kind: 'poster', required: false },
      ],
    },
  },
  slots: ['film', 'extra'].map((id) => ({
    id,
    label: both(id),
    domain: 'd1',
    min: id === 'film' ? 1 : 0,
    max: 1,
    media: [{ kind: 'video' as const, maxDurationSeconds: 8 }],
  })),
}

/** Writes the profile into a folder for PROFILES_DIR. */
export async function writeProfile(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, `${PROFILE}.json`), JSON.stringify(PROFILE_DATA))
}
