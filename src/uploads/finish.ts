// After the last byte is stored: completion and metrics.

import { faultPoint } from '../core/fault-points.ts'
import type { Metrics } from '../core/metrics.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Starts completion; the response does not wait. `record`: undefined if another request completed the upload. */
export function finishUpload(
  { completion, metrics }: Pick<UploadDeps, 'completion' | 'metrics'>,
  id: string,
  record: UploadRecord | undefined,
): void {
  faultPoint('finish.before-answer')
  if (record === undefined) completion.runLater(id)
  else completion.followLater(record)
  measureFinished(metrics, record)
}

/** Counts a complete upload. `record`: undefined if another request completed it. */
export function measureFinished(metrics: Metrics, record: UploadRecord | undefined): void {
  metrics.uploadsFinished.inc()
  if (record === undefined) return
  const kind = kindOf(record)
  metrics.uploadSize.observe({ kind }, record.receivedBytes)
  if (record.storedAt === null) return
  const seconds = (Date.parse(record.storedAt) - Date.parse(record.createdAt)) / 1000
  metrics.uploadTransfer.observe({ kind }, Math.max(0, seconds))
}

/** The kind that its slot accepts, since nothing is measured yet; `partial` for partial uploads. */
function kindOf({ concat, kinds }: Pick<UploadRecord, 'concat' | 'kinds'>): string {
  if (concat?.kind === 'partial') return 'partial'
  const [only] = kinds
  return only !== undefined && kinds.length === 1 ? only : 'any'
}
