// Multipart uploads: of local files that workers publish, and joining of received parts.
// Parts are Buffers, so that the SDK can retry.

import { open } from 'node:fs/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { crc32Of } from './crc32.ts'
import { type PendingMultipartUpload, type Piece, PiecesLost } from './object-store.ts'
import { isMissing, isS3Error } from './s3-client.ts'

const PART_BYTES = 16 * 1024 ** 2
const MAX_PARTS = 10_000

/** Uploads `path` (of `bytes` length) under a new key; visible only when complete. */
export async function uploadFile(
  client: S3Client,
  bucket: string,
  key: string,
  path: string,
  bytes: number,
  contentType: string,
): Promise<void> {
  const target = { Bucket: bucket, Key: key }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...target, ContentType: contentType }))
  const partBytes = Math.max(PART_BYTES, Math.ceil(bytes / MAX_PARTS))
  const file = await open(path, 'r')
  try {
    const parts = []
    for (let offset = 0, number = 1; offset < bytes; offset += partBytes, number++) {
      const body = Buffer.allocUnsafe(Math.min(partBytes, bytes - offset))
      const { bytesRead } = await file.read(body, 0, body.length, offset)
      if (bytesRead !== body.length) throw new Error(`${path} became shorter during the upload`)
      const { ETag } = await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: number, Body: body }))
      parts.push({ PartNumber: number, ETag })
    }
    await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }))
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {
      // Report the first error; the clean-up removes what could not be aborted.
    })
    throw error
  } finally {
    await file.close()
  }
}

/** Size of an object, or undefined. */
async function sizeOf(client: S3Client, bucket: string, key: string): Promise<number | undefined> {
  try {
    return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/**
 * CompleteMultipartUpload, idempotent: after NoSuchUpload or a missing piece, an object of the right size is a success, since the response of
 * an earlier call may have been lost. Every ETag is listed, so that a part of a late writer cannot be included.
 */
export async function assemble(
  client: S3Client,
  bucket: string,
  key: string,
  pieces: Piece[],
  multipartId: string | undefined,
): Promise<void> {
  if (multipartId === undefined) return await joinObjects(client, bucket, key, pieces)
  const target = { Bucket: bucket, Key: key, UploadId: multipartId }
  try {
    const parts = []
    for (const { number, etag, crc32, key: source } of pieces) {
      const sums = source === undefined ? { etag, crc32 } : await sendIn(client, target, number, source)
      parts.push({ PartNumber: number, ETag: sums.etag, ChecksumCRC32: sums.crc32 })
    }
    await client.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts: parts } }))
  } catch (error) {
    // Whoever did it before may have removed the pieces, too.
    if (!isS3Error(error, 'NoSuchUpload') && !isMissing(error)) throw error
    await requireObject(client, bucket, key, pieces, error)
  }
}

/** The object stands with the right size, though `error` says that its pieces do not. Throws PiecesLost where there is none. */
async function requireObject(
  client: S3Client,
  bucket: string,
  key: string,
  pieces: Piece[],
  error: unknown,
): Promise<void> {
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  const found = await sizeOf(client, bucket, key)
  if (found === bytes) return
  throw found === undefined ? new PiecesLost(`${key}: its parts are gone`, { cause: error }) : error
}

/** Uploads an object, at most as long as a part, as a part. Not UploadPartCopy: several S3 servers return no checksum for copies. */
async function sendIn(
  client: S3Client,
  target: { Bucket: string; Key: string; UploadId: string },
  number: number,
  source: string,
): Promise<{ etag: string | undefined; crc32: string }> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: target.Bucket, Key: source }))
  const body = Buffer.from((await Body?.transformToByteArray()) ?? [])
  const crc32 = crc32Of([body])
  const { ETag } = await client.send(
    new UploadPartCommand({ ...target, PartNumber: number, Body: body, ChecksumCRC32: crc32 }),
  )
  return { etag: ETag, crc32 }
}

export async function abortMultipart(
  client: S3Client,
  bucket: string,
  key: string,
  multipartId: string,
): Promise<void> {
  await client
    .send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: multipartId }))
    .catch((error: unknown) => {
      if (!isS3Error(error, 'NoSuchUpload') && !isMissing(error)) throw error
    })
}

/** Pending multipart uploads, page by page. */
export async function* listMultipartUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<PendingMultipartUpload> {
  let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}
  do {
    const page: ListMultipartUploadsCommandOutput = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after }),
    )
    for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
      if (Key !== undefined && UploadId !== undefined)
        yield { key: Key, multipartId: UploadId, begunAtMs: Initiated?.getTime() ?? 0 }
    after =
      page.IsTruncated === true ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined
  } while (after !== undefined)
}

/** Minimum part size of S3, except for the last part. */
const MIN_PART_BYTES = 5 * 1024 ** 2
const MAX_COPY_BYTES = 5 * 1024 ** 3

/**
 * Joins objects: large ones are copied inside the store, small ones are read and uploaded together, since S3 accepts
 * no small part in the middle. Idempotent: an object of the right size is a success.
 */
async function joinObjects(client: S3Client, bucket: string, key: string, pieces: Piece[]): Promise<void> {
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  if ((await sizeOf(client, bucket, key)) === bytes) return
  const target = { Bucket: bucket, Key: key }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
  const parts: { PartNumber: number; ETag: string | undefined }[] = []
  let gathered: Buffer[] = []
  let gatheredBytes = 0
  const next = () => ({ ...target, UploadId, PartNumber: parts.length + 1 })
  const sendGathered = async () => {
    if (gatheredBytes === 0) return
    const body = Buffer.concat(gathered, gatheredBytes)
    const { ETag } = await client.send(new UploadPartCommand({ ...next(), Body: body }))
    parts.push({ PartNumber: parts.length + 1, ETag })
    gathered = []
    gatheredBytes = 0
  }
  const gather = async (source: string, start: number, end: number) => {
    const range = { Bucket: bucket, Key: source, Range: `bytes=${start}-${end - 1}` }
    const { Body } = await client.send(new GetObjectCommand(range))
    gathered.push(Buffer.from((await Body?.transformToByteArray()) ?? []))
    gatheredBytes += end - start
  }
  try {
    for (const { key: source, bytes: length } of pieces) {
      if (source === undefined) throw new Error(`${key}: a piece has no object`)
      // The collected bytes must reach the minimum part size before a copy may follow.
      let at = 0
      while (gatheredBytes > 0 && gatheredBytes < MIN_PART_BYTES && at < length) {
        const end = Math.min(length, at + MIN_PART_BYTES - gatheredBytes)
        await gather(source, at, end)
        at = end
      }
      if (length - at < MIN_PART_BYTES) {
        if (at < length) await gather(source, at, length)
        if (gatheredBytes >= MIN_PART_BYTES) await sendGathered()
        continue
      }
      await sendGathered()
      while (length - at >= MIN_PART_BYTES) {
        const end = Math.min(length, at + MAX_COPY_BYTES)
        const { CopyPartResult } = await client.send(
          new UploadPartCopyCommand({
            ...next(),
            CopySource: `${bucket}/${encodeURI(source)}`,
            CopySourceRange: `bytes=${at}-${end - 1}`,
          }),
        )
        parts.push({ PartNumber: parts.length + 1, ETag: CopyPartResult?.ETag })
        at = end
      }
      if (at < length) await gather(source, at, length)
    }
    await sendGathered()
    await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }))
  } catch (error) {
    if (UploadId !== undefined) await abortMultipart(client, bucket, key, UploadId)
    if (!isMissing(error)) throw error
    // Whoever did it before may have removed the pieces, too.
    await requireObject(client, bucket, key, pieces, error)
  }
}
