// A store alone: a directory or a bucket of the test's own.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalObjectStore } from '../../src/storage/local.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import type { StoreKind } from './over-both-stores.ts'
import { type HttpProxy, startHttpProxy } from './proxy.ts'
import { startS3, storeOver } from './s3.ts'

export type TestStore = {
  store: ObjectStore
  /** In front of the bucket; undefined for a directory. */
  proxy: HttpProxy | undefined
  close(): Promise<void>
}

export async function openStore(kind: StoreKind): Promise<TestStore> {
  if (kind === 'local') {
    const dir = await mkdtemp(join(tmpdir(), 'songngan-store-'))
    const close = () => rm(dir, { recursive: true, force: true })
    return { store: new LocalObjectStore(dir), proxy: undefined, close }
  }
  const s3 = await startS3()
  const proxy = await startHttpProxy(s3.endpoint)
  const store = storeOver(s3, proxy.url)
  const close = async () => {
    await store.close()
    await proxy.stop()
    await s3.stop()
  }
  return { store, proxy, close }
}
