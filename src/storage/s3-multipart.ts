// A large local file to S3 in parts, for what workers publish. Parts are Buffers, so that the SDK may send one again.

import { open } from 'node:fs/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'

const PART_BYTES = 16 * 1024 ** 2
const MAX_PARTS = 10_000

/** Uploads `path` (of `bytes` length) under a fresh key; nothing is visible before all of it is there. */
export async function uploadFile(
  client: S3Client,
  bucket: string,
  key: string,
  path: string,
  bytes: number,
  contentType: string,
): Promise<void> {
  const target = { Bucket: bucket, Key: key }
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ContentType: contentType }),
  )
  const partBytes = Math.max(PART_BYTES, Math.ceil(bytes / MAX_PARTS))
  const file = await open(path, 'r')
  try {
    const parts = []
    for (let offset = 0, number = 1; offset < bytes; offset += partBytes, number++) {
      const body = Buffer.allocUnsafe(Math.min(partBytes, bytes - offset))
      const { bytesRead } = await file.read(body, 0, body.length, offset)
      if (bytesRead !== body.length) throw new Error(`${path} became shorter while it was published`)
      const { ETag } = await client.send(
        new UploadPartCommand({ ...target, UploadId, PartNumber: number, Body: body }),
      )
      parts.push({ PartNumber: number, ETag })
    }
    await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }),
    )
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {
      // The first error is the one to report; the sweep removes what an abort could not.
    })
    throw error
  } finally {
    await file.close()
  }
}
