// The rules of PDFs. `encrypted` with a page count means only an owner password: everybody can read it.

import type { Measured } from '../../records/upload-record.ts'
import type { MediaRules } from '../profiles/media.ts'
import type { Findings } from './findings.ts'

export function judgePdf(media: MediaRules, measured: Measured, findings: Findings): void {
  const { pages, encrypted, activeContent = [], flawedPages = [], undrawnPages = [] } = measured
  if (measured.tooComplex) {
    findings.add('PDF_TOO_COMPLEX', {})
    return
  }
  const unchecked = measured.unchecked === true
  // First, because tools cannot distinguish locked from damaged files.
  if (encrypted && pages === undefined && !unchecked) {
    findings.add('PDF_PASSWORD', {})
    return
  }
  if (unchecked) findings.add('PDF_UNCHECKED', {})
  if (measured.complete === false || (pages === undefined && !unchecked)) {
    findings.add('PDF_DAMAGED', undrawnPages.length > 0 ? { actual: undrawnPages.join(', ') } : {})
    return
  }
  if (flawedPages.length > 0) findings.add('PDF_FLAWED', { actual: flawedPages.join(', ') })
  if (encrypted) findings.add('PDF_RESTRICTED', {})
  if (pages !== undefined) judgePages(media, pages, findings)
  const harmful = activeContent.filter((name) => !media.acceptedActiveContent.includes(name))
  if (harmful.length > 0) findings.add('PDF_ACTIVE_CONTENT', { actual: harmful.join(', ') })
}

function judgePages({ maxPages, minPages }: MediaRules, pages: number, findings: Findings): void {
  if (maxPages !== undefined && pages > maxPages) findings.add('PDF_TOO_MANY_PAGES', { limit: maxPages, actual: pages })
  if (minPages !== undefined && pages < minPages) findings.add('PDF_TOO_FEW_PAGES', { limit: minPages, actual: pages })
}
