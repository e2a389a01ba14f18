// What operators see of rejected files: how many break which rule.

import type { Metrics } from '../../src/core/metrics.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'

/** Counts each rule that a rejected file broke, once; other files count nothing. */
export function countRejection(
  metrics: Pick<Metrics, 'uploadsRejected'>,
  { state, problems }: Pick<UploadRecord, 'state' | 'problems'>,
): void {
  if (state !== 'rejected') return
  const codes = problems.filter(({ severity }) => severity === 'reject').map(({ code }) => code)
  for (const code of new Set(codes)) metrics.uploadsRejected.inc({ code })
}
