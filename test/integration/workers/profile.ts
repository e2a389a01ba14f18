// A requirement profile made for tests: small limits, so that clips of a few seconds can break them.

import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'

const both = (text: string) => ({ th: text, en: text })

export function testProfile(): ProfileData {
  return {
    schema: 1,
    id: 'test',
    version: 1,
    enabled: true,
    position: { id: 'teacher', label: both('teacher') },
    rank: { code: 'K4', label: both('K4') },
    domains: [{ id: 'd1', label: both('domain') }],
    mediaDefaults: {
      video: {
        containers: ['mp4'],
        remediableContainers: ['mov', 'matroska', 'webm', 'avi', 'mpegts'],
        extensions: ['mp4', 'mov'],
        mimeTypes: ['video/mp4'],
        maxBytes: 100_000_000,
        renditions: [
          { name: 'video', kind: 'mp4', required: true, maxShortSidePixels: 720, maxFramesPerSecond: 30 },
          { name: 'poster', kind: 'poster', required: false },
        ],
      },
      pdf: {
        containers: ['pdf'],
        extensions: ['pdf'],
        mimeTypes: ['application/pdf'],
        maxBytes: 10_000_000,
        renditions: [{ name: 'page', kind: 'page', required: false, maxShortSidePixels: 720 }],
      },
    },
    slots: [
      {
        id: 'clip',
        label: both('clip'),
        domain: 'd1',
        min: 1,
        max: 1,
        media: [{ kind: 'video', maxDurationSeconds: 8 }],
      },
      {
        id: 'plan',
        label: both('plan'),
        domain: 'd1',
        min: 0,
        max: 1,
        media: [{ kind: 'pdf', maxPages: 5 }],
      },
      {
        id: 'outcome',
        label: both('outcome'),
        domain: 'd1',
        min: 0,
        max: 3,
        maxPerKind: { video: 1, pdf: 2 },
        media: [{ kind: 'video' }, { kind: 'pdf' }],
      },
    ],
    inspectionRejects: ['VIDEO_UNDECODABLE', 'BLACK_VIDEO_ENTIRE', 'DUPLICATE_IN_SUBMISSION'],
  }
}
