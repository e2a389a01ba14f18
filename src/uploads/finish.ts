// What follows when the last byte of an upload has been stored: its completion, and what is measured of it.

import { faultPoint } from '../core/fault-points.ts'
import type { Metrics } from '../core/metrics.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Begins it; the answer does not wait. `record`: undefined where it was another request that found the upload whole. */
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
