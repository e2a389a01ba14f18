// A PDF's measurements, from the report of the inspection.

import type { Measured } from '../../src/records/upload-record.ts'
import { inspectPdf } from '../media/pdf.ts'
import type { ToolContext } from '../media/probe.ts'
import type { LocalSource } from '../media/source.ts'
import { isInputError } from './failure.ts'
import type { Measurement } from './measurement.ts'

export async function measurePdf(
  context: ToolContext,
  source: LocalSource,
  identity: Pick<Measured, 'kind' | 'container'>,
): Promise<Measurement> {
  try {
    const { problem, pages, encrypted, active } = await inspectPdf(context, source)
    if (problem === 'PASSWORD') return { measured: { ...identity, encrypted: true } }
    if (problem !== null || pages === null)
      return { measured: { ...identity, complete: false, ...(encrypted ? { encrypted } : {}) } }
    return { measured: { ...identity, complete: true, pages, encrypted, activeContent: active } }
  } catch (error) {
    // Over the limits of time or memory: nobody could open it either.
    if (!isInputError(error)) throw error
    return { measured: { ...identity, complete: false } }
  }
}
