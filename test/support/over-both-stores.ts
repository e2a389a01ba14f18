import { describe } from 'vitest'
import { s3Available } from './s3.ts'

export type StoreKind = 'local' | 's3'

/** The same tests over a directory and over a bucket; those of the bucket are skipped where no S3 server is at hand. */
export function overBothStores(tests: (kind: StoreKind) => void): void {
  describe('local directory', () => tests('local'))
  describe.skipIf(!s3Available())('S3', () => tests('s3'))
}
