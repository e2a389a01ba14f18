// A PDF's measurements, from the report of the inspection.

import type { Measured } from '../../src/records/upload-record.ts'
import { inspectPdf, type PdfReport } from '../media/pdf.ts'
import type { ToolContext } from '../media/probe.ts'
import type { LocalSource } from '../media/source.ts'
import type { Measurement } from './measurement.ts'

export async function measurePdf(
  context: ToolContext,
  source: LocalSource,
  identity: Pick<Measured, 'kind' | 'container'>,
): Promise<Measurement> {
  return { measured: { ...identity, ...measuredOf(await inspectPdf(context, source)) } }
}

function measuredOf(report: PdfReport): Partial<Measured> {
  const { problem, pages, encrypted, active, flawedPages, undrawnPages, unchecked } = report
  const locked = encrypted ? { encrypted } : {}
  if (problem === 'PASSWORD') return { encrypted: true }
  if (problem === 'TOO_COMPLEX') return { tooComplex: true }
  if (unchecked && pages === null) return { ...locked, unchecked }
  if (problem !== null || pages === null) return { complete: false, ...locked }
  return {
    complete: undrawnPages.length === 0,
    pages,
    encrypted,
    activeContent: active,
    ...(flawedPages.length > 0 ? { flawedPages } : {}),
    ...(undrawnPages.length > 0 ? { undrawnPages } : {}),
    ...(unchecked ? { unchecked } : {}),
  }
}
