// Reads the store without the service's own code.

import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import type { TestS3 } from '../../../test/support/s3.ts'

export type Bytes = {
  /** Keys of all objects under a prefix, in order. */
  list(prefix: string): Promise<string[]>
  read(key: string): Promise<Buffer>
  /** User metadata of an object. */
  metadata(key: string): Promise<Record<string, string>>
  /** Keys of multipart uploads that are not completed. */
  openMultiparts(): Promise<string[]>
  close(): void
}

export function localBytes(dataDir: string): Bytes {
  const root = join(dataDir, 'store')
  const walk = (folder: string): string[] =>
    entries(join(root, folder)).flatMap((entry) =>
      entry.isDirectory() ? walk(`${folder}${entry.name}/`) : [folder + entry.name],
    )
  return {
    list: (prefix) => Promise.resolve(walk(prefix.slice(0, prefix.lastIndexOf('/') + 1)).sort()),
    read: async (key) => readFileSync(join(root, key)),
    metadata: () => Promise.resolve({}),
    openMultiparts: () => Promise.resolve([]),
    close: () => undefined,
  }
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export function s3Bytes({ bucket, endpoint, region, credentials }: TestS3): Bytes {
  // The audit compares its own SHA-256; the checksum that the S3 server stores with an object is not used.
  const responseChecksumValidation = 'WHEN_REQUIRED'
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    responseChecksumValidation,
    forcePathStyle: true,
  })
  return {
    async list(prefix) {
      const keys: string[] = []
      for (let after: string | undefined; ; ) {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(after && { StartAfter: after }) }),
        )
        keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''))
        after = keys.at(-1)
        if (page.IsTruncated !== true) return keys
      }
    },
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      return Buffer.from((await Body?.transformToByteArray()) ?? [])
    },
    metadata: async (key) => (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).Metadata ?? {},
    async openMultiparts() {
      const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      return (page.Uploads ?? []).map(({ Key }) => Key ?? '')
    },
    close: () => client.destroy(),
  }
}
