// What an erasure reaches, created by src/deps.ts.

import type { SecurityLog } from '../audit/security-log.ts'
import type { Logger } from '../core/logger.ts'
import type { Attempt } from '../evidence/attempt-journal.ts'
import type { Attempts } from '../evidence/attempts.ts'
import type { Queues } from '../jobs/queues.ts'
import type { CancelDeps } from '../lifecycle/cancel.ts'
import type { RecordIndex } from '../records/record-index.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadViews } from '../records/upload-views.ts'
import type { SameContent } from '../submissions/same-content.ts'
import type { UniqueKeys } from '../submissions/unique-keys.ts'

export type ErasureDeps = CancelDeps & {
  views: UploadViews
  index: RecordIndex
  queues: Queues
  attempts: Pick<Attempts, 'erase' | 'eraseUpload' | 'list'>
  sameContent: Pick<SameContent, 'forget'>
  uniqueKeys: Pick<UniqueKeys, 'namesOf' | 'releaseNames'>
  webhooks: { url: string | undefined }
  /** Of the console. */
  search: {
    remove(submission: { owner: string; submissionId: string }): Promise<void>
    replace(head: SubmissionHead, said: readonly (UploadRecord | Attempt)[]): Promise<void>
  }
  securityLog: Pick<SecurityLog, 'record'>
  logger: Logger
}
