// Rules for uploads without a submission: a file that looks like a video or a PDF must be readable.

import type { MediaRules } from '../../src/submissions/profiles/media.ts'
import type { SlotRules } from '../../src/submissions/profiles/profile.ts'
import type { RenditionRule } from '../../src/submissions/profiles/schema.ts'
import { DEFAULT_SEVERITIES, RULE_CODES, type RuleCode } from '../../src/submissions/rules/codes.ts'

const ENFORCED: ReadonlySet<RuleCode> = new Set([
  'INCOMPLETE_FILE',
  'VIDEO_UNDECODABLE',
  'PDF_DAMAGED',
  'PDF_TOO_COMPLEX',
  'PDF_PASSWORD',
  'MALWARE',
])

const RENDITIONS: Partial<Record<MediaRules['kind'], readonly RenditionRule[]>> = {
  video: [
    { name: 'video', kind: 'mp4', required: true },
    { name: 'poster', kind: 'poster', required: false },
  ],
  pdf: [{ name: 'page', kind: 'page', required: false }],
}

const NAME = { th: 'ไฟล์', en: 'file' }

export const OPEN_SLOT: SlotRules = {
  id: '',
  label: NAME,
  shortLabel: NAME,
  domain: '',
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  maxPerKind: {},
  media: (['video', 'pdf', 'image', 'audio'] as const).map((kind) => ({
    kind,
    containers: ['mp4'],
    remediableContainers: [],
    otherContainers: 'convert',
    extensions: [],
    mimeTypes: [],
    maxBytes: Number.MAX_SAFE_INTEGER,
    durationToleranceSeconds: 0,
    acceptedActiveContent: [],
    renditions: RENDITIONS[kind] ?? [],
  })),
  metadata: [],
  severities: Object.fromEntries(
    RULE_CODES.map((code) => [code, ENFORCED.has(code) ? DEFAULT_SEVERITIES[code] : 'off']),
  ) as SlotRules['severities'],
  inspectionRejects: ['MALWARE'],
}
