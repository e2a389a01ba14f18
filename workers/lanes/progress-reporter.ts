// Progress of a worker's job on an upload, for pages: at most once per second; errors are ignored.

import type { Logger } from '../../src/core/logger.ts'
import type { LaneName } from '../../src/records/upload-record.ts'
import type { UploadViews } from '../../src/records/upload-views.ts'

const STEP_MS = 1000

/**
 * `report` sets per cent (0 to 100) and seconds left; `end` deletes them, so that the upload's state is shown again.
 * Nothing is shown until the first report.
 */
export function progressReporter(views: UploadViews, uploadId: string, step: LaneName, logger: Logger) {
  let lastMs = 0
  let pending: Promise<void> = Promise.resolve()
  const quietly = (write: Promise<void>): Promise<void> =>
    write.catch((err: unknown) => logger.debug({ err }, 'progress could not be published'))
  return {
    report(percent: number | null, etaSeconds: number | null): void {
      if (performance.now() - lastMs < STEP_MS) return
      lastMs = performance.now()
      pending = quietly(views.setProgress(uploadId, { step, percent, etaSeconds, queuePosition: null }))
    },
    async end(): Promise<void> {
      await pending
      if (lastMs > 0) await quietly(views.clearProgress(uploadId))
    },
  }
}
