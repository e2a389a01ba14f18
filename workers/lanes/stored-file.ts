// The received bytes of an upload as a source for media tools: a local file, or an object read by ranges.

import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'
import { copySource } from '../media/copy.ts'
import type { Scratch } from '../media/scratch.ts'
import { fileSource, isLocal, type LocalSource, type MediaSource, rangeSource } from '../media/source.ts'

/** Throws if the object is missing or has another length than in the record: a system error, never the uploader's. */
export async function storedFile(store: ObjectStore, { object, receivedBytes }: UploadRecord): Promise<MediaSource> {
  const { key } = object
  const found = await store.head(key)
  if (found?.bytes !== receivedBytes)
    throw new Error(`${key}: ${found?.bytes ?? 'no'} bytes in the store, ${receivedBytes} received`)
  const path = store.localPath(key)
  if (path !== undefined) return await fileSource(path)
  return rangeSource({
    bytes: receivedBytes,
    readRange: (position, length) => store.readAt(key, position, length),
  })
}

export type LocalFile = {
  source: LocalSource
  /** SHA-256, if the bytes were copied and so read completely. */
  sha256?: string
}

/** The same bytes as a local file: the stored file itself, or a copy in the scratch folder. */
export async function localFile(
  source: MediaSource,
  scratch: Scratch,
  options: { signal: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<LocalFile> {
  if (isLocal(source)) return { source }
  const { path, sha256 } = await copySource(source, scratch.path('input'), options)
  return { source: await fileSource(path), sha256 }
}

/** Scratch space that `localFile` needs. */
export function copyBytes(source: MediaSource): number {
  return isLocal(source) ? 0 : source.bytes
}
