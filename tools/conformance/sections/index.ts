// The sections in the order of the protocol text; robustness, which is not in the text, at the end.
import type { Section } from '../model.ts'
import { checksum } from './checksum.ts'
import { concatenation } from './concatenation.ts'
import { concatenationUnfinished } from './concatenation-unfinished.ts'
import { creation } from './creation.ts'
import { deferLength } from './creation-defer-length.ts'
import { metadata } from './creation-metadata.ts'
import { creationWithUpload } from './creation-with-upload.ts'
import { expiration } from './expiration.ts'
import { head } from './head.ts'
import { headers } from './headers.ts'
import { methodOverride } from './method-override.ts'
import { optionsSection } from './options.ts'
import { patch } from './patch.ts'
import { robustConcurrency } from './robust-concurrency.ts'
import { robustHeaders } from './robust-headers.ts'
import { robustHttp } from './robust-http.ts'
import { robustIds } from './robust-ids.ts'
import { robustInterruptions } from './robust-interruptions.ts'
import { termination } from './termination.ts'

export const sections: readonly Section[] = [
  headers,
  methodOverride,
  head,
  patch,
  optionsSection,
  creation,
  metadata,
  deferLength,
  creationWithUpload,
  expiration,
  checksum,
  termination,
  concatenation,
  concatenationUnfinished,
  robustHeaders,
  robustIds,
  robustHttp,
  robustConcurrency,
  robustInterruptions,
]

/** Every sentence with its checks, or why it has none. */
export function renderSentences(all: readonly Section[]): string {
  const lines: string[] = []
  for (const section of all) {
    lines.push('', section.title)
    for (const rule of section.rules) {
      lines.push(`  ${rule.level.padEnd(6)} ${rule.says}`)
      for (const check of Object.keys(rule.checks)) lines.push(`           - ${section.key}.${rule.key}: ${check}`)
      if (rule.untested !== undefined) lines.push(`           not tested: ${rule.untested}`)
    }
  }
  return lines.join('\n')
}
