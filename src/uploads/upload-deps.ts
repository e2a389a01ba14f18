// Dependencies of the upload path, created by src/deps.ts.

import type { RateLimiter } from '../auth/rate-limit.ts'
import type { Revocations } from '../auth/revocations.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import type { KeyDerivation } from '../core/derive-key.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { PersonalHash } from '../core/personal-hash.ts'
import type { Tracing } from '../core/span.ts'
import type { Attempts } from '../evidence/attempts.ts'
import type { Completion } from '../lifecycle/completion.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import type { UploadViews } from '../records/upload-views.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { ProfileCatalogue } from '../submissions/profiles/loader.ts'
import type { Admission } from './admission.ts'
import type { ByteBudget } from './budget.ts'
import type { LedgerDeps } from './ledger.ts'
import type { UploadLocks } from './lock.ts'
import type { Peers } from './peers.ts'
import type { PersonLimits } from './person-limits.ts'
import type { SocketReading } from './socket-reading.ts'
import type { UploadStore } from './stores/port.ts'
import type { Spool } from './stores/spool.ts'

export type UploadDeps = {
  config: Config
  clock: Clock
  logger: Logger
  metrics: Metrics
  tracing: Tracing
  store: ObjectStore
  hot: UploadSessionStore
  uploads: UploadRecords
  heads: SubmissionHeads
  views: UploadViews
  profiles: ProfileCatalogue
  tokens: Tokens
  revocations: Pick<Revocations, 'isRevoked' | 'watch'>
  keyDerivation: KeyDerivation
  completion: Completion
  uploadStore: UploadStore
  peers: Peers
  locks: UploadLocks
  ledgerParts: LedgerDeps
  admission: Admission
  attempts: Attempts
  rates: RateLimiter
  personalHash: PersonalHash
  personLimits: PersonLimits
  budget: ByteBudget
  socketReading: SocketReading
  spool: Spool
}
