// The store of records and media, and that of uploads, as configured.

import type { Config } from './core/config.ts'
import type { Metrics } from './core/metrics.ts'
import { LocalObjectStore } from './storage/local.ts'
import type { ObjectStore } from './storage/object-store.ts'
import type { ByteBudget } from './uploads/budget.ts'
import { LocalUploadStore } from './uploads/stores/local.ts'
import type { UploadStore } from './uploads/stores/port.ts'
import type { Spool } from './uploads/stores/spool.ts'

const PART_BYTES = 8 * 1024 ** 2
const S3_SOCKETS = 128

/** @param memory what uploads may hold: bytes in memory, and on disk beside it */
export async function createStores(
  { storage }: Config,
  memory: { budget: ByteBudget; spool: Spool },
  metrics: Metrics,
): Promise<{ store: ObjectStore; uploadStore: UploadStore }> {
  if (storage.kind === 'local') {
    const store = new LocalObjectStore(storage.dataDir)
    return { store, uploadStore: new LocalUploadStore(store, memory.budget) }
  }
  // Loaded only for S3: the SDK needs memory.
  const [{ S3ObjectStore }, { createS3Client }, { S3UploadStore }, { S3Parts }] = await Promise.all([
    import('./storage/s3.ts'),
    import('./storage/s3-client.ts'),
    import('./uploads/stores/s3.ts'),
    import('./uploads/stores/s3-parts.ts'),
  ])
  const onCall = (operation: string, seconds: number, ok: boolean) => {
    metrics.s3Calls.inc({ operation, outcome: ok ? 'ok' : 'error' })
    metrics.s3CallDuration.observe({ operation }, seconds)
  }
  const store = new S3ObjectStore(createS3Client(storage.s3, S3_SOCKETS, onCall), storage.s3.bucket)
  return {
    store,
    uploadStore: new S3UploadStore(new S3Parts(storage.s3, PART_BYTES, S3_SOCKETS, onCall), store, memory),
  }
}
