// What is measured of an upload when its last byte has been stored.

import type { Metrics } from '../core/metrics.ts'
import type { UploadRecord } from '../records/upload-record.ts'

/** Counts an upload that is whole. `record`: undefined where it was another request that found it so. */
export function measureFinished(metrics: Metrics, record: UploadRecord | undefined): void {
  metrics.uploadsFinished.inc()
  if (record === undefined) return
  const kind = kindOf(record)
  metrics.uploadSize.observe({ kind }, record.receivedBytes)
  if (record.storedAt === null) return
  const seconds = (Date.parse(record.storedAt) - Date.parse(record.createdAt)) / 1000
  metrics.uploadTransfer.observe({ kind }, Math.max(0, seconds))
}

/** What its place asked for: nothing has been measured yet. A partial upload is a piece of something. */
function kindOf({ concat, kinds }: Pick<UploadRecord, 'concat' | 'kinds'>): string {
  if (concat?.kind === 'partial') return 'partial'
  const [only] = kinds
  return only !== undefined && kinds.length === 1 ? only : 'any'
}
