// The rules on a PDF. `encrypted` with pages counted means an owner password only: everybody can read it.

import type { Measured } from '../../records/upload-record.ts'
import type { MediaRules } from '../profiles/media.ts'
import type { Findings } from './findings.ts'

/** Alone these say "open at page 1" or "link to another file"; word processors write them unasked. */
const HARMLESS: ReadonlySet<string> = new Set(['OPEN_ACTION', 'PAGE_ACTION', 'REMOTE_GOTO'])

export function judgePdf(media: MediaRules, measured: Measured, findings: Findings): void {
  const { pages, encrypted, activeContent = [] } = measured
  // Asked first: tools cannot tell a locked file's pages from a broken one's.
  if (encrypted && pages === undefined) {
    findings.add('PDF_PASSWORD', {})
    return
  }
  if (measured.complete === false || pages === undefined) {
    findings.add('PDF_DAMAGED', {})
    return
  }
  if (encrypted) findings.add('PDF_RESTRICTED', {})
  if (media.maxPages !== undefined && pages > media.maxPages) {
    findings.add('PDF_TOO_MANY_PAGES', { limit: media.maxPages, actual: pages })
  }
  if (media.minPages !== undefined && pages < media.minPages) {
    findings.add('PDF_TOO_FEW_PAGES', { limit: media.minPages, actual: pages })
  }
  const harmful = activeContent.filter((name) => !HARMLESS.has(name))
  if (harmful.length > 0) findings.add('PDF_ACTIVE_CONTENT', { actual: harmful.join(', ') })
}
