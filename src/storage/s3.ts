// Object store in an S3 bucket, for any number of machines. Works with S3 servers that support `If-None-Match: *` and
// check `x-amz-checksum-crc32`.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { AppError } from '../core/errors.ts'
import {
  type ByteRange,
  type ObjectInfo,
  type ObjectStore,
  type PendingMultipartUpload,
  type Piece,
  PiecesLost,
} from './object-store.ts'
import { isMissing, isS3Error, s3StoreError } from './s3-client.ts'
import { abortMultipart, assemble, listMultipartUploads, uploadFile } from './s3-multipart.ts'
import { lifecycleWarnings, probeBucket } from './s3-probe.ts'

const SINGLE_PUT_MAX_BYTES = 64 * 1024 ** 2

/** A view of the same bytes, no copy. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

export class S3ObjectStore implements ObjectStore {
  readonly kind = 's3'
  readonly client: S3Client
  readonly bucket: string

  constructor(client: S3Client, bucket: string) {
    this.client = client
    this.bucket = bucket
  }

  async createIfAbsent(key: string, body: Buffer): Promise<boolean> {
    try {
      await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: body,
          IfNoneMatch: '*',
          ContentType: 'application/json',
        }),
      )
      return true
    } catch (error) {
      if (isS3Error(error, 'PreconditionFailed')) return false
      // Two concurrent writers: S3 tells one to retry, which then gets 412 or wins.
      if (isS3Error(error, 'ConditionalRequestConflict')) return this.createIfAbsent(key, body)
      throw s3StoreError(error)
    }
  }

  async replace(key: string, body: Buffer): Promise<void> {
    try {
      await this.client.send(
        new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, ContentType: 'application/json' }),
      )
    } catch (error) {
      throw s3StoreError(error)
    }
  }

  async read(key: string): Promise<Buffer | undefined> {
    try {
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }))
      return Body === undefined ? Buffer.alloc(0) : asBuffer(await Body.transformToByteArray())
    } catch (error) {
      if (isMissing(error)) return undefined
      throw s3StoreError(error)
    }
  }

  async head(key: string): Promise<{ bytes: number; metadata: Record<string, string> } | undefined> {
    try {
      const answer = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }))
      return { bytes: answer.ContentLength ?? 0, metadata: answer.Metadata ?? {} }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw s3StoreError(error)
    }
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    try {
      const answer = await this.client.send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
        }),
      )
      return answer.Body as Readable
    } catch (error) {
      throw isMissing(error) ? new AppError('UPLOAD_UNKNOWN', { cause: error }) : s3StoreError(error)
    }
  }

  async readAt(key: string, position: number, length: number): Promise<Buffer> {
    try {
      const { Body } = await this.client.send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Range: `bytes=${position}-${position + length - 1}`,
        }),
      )
      return Body === undefined ? Buffer.alloc(0) : asBuffer(await Body.transformToByteArray())
    } catch (error) {
      if (isS3Error(error, 'InvalidRange')) return Buffer.alloc(0)
      throw isMissing(error) ? new AppError('UPLOAD_UNKNOWN', { cause: error }) : s3StoreError(error)
    }
  }

  async publish(key: string, path: string, contentType: string): Promise<void> {
    const { size } = await stat(path)
    try {
      if (size > SINGLE_PUT_MAX_BYTES) return await uploadFile(this.client, this.bucket, key, path, size, contentType)
      await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: createReadStream(path),
          ContentLength: size,
          ContentType: contentType,
        }),
      )
    } catch (error) {
      throw s3StoreError(error)
    }
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    let continuation: string | undefined
    do {
      const page = await this.client
        .send(
          new ListObjectsV2Command({
            Bucket: this.bucket,
            Prefix: prefix,
            ...(continuation === undefined ? {} : { ContinuationToken: continuation }),
            ...(after === undefined || continuation !== undefined ? {} : { StartAfter: after }),
          }),
        )
        .catch((error: unknown) => {
          throw s3StoreError(error)
        })
      for (const { Key, Size, LastModified } of page.Contents ?? [])
        if (Key !== undefined) yield { key: Key, bytes: Size ?? 0, modifiedAtMs: LastModified?.getTime() ?? 0 }
      continuation = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (continuation !== undefined)
  }

  async assemble(key: string, pieces: Piece[], multipartId: string | undefined): Promise<void> {
    try {
      await assemble(this.client, this.bucket, key, pieces, multipartId)
    } catch (error) {
      throw error instanceof PiecesLost ? error : s3StoreError(error)
    }
  }

  async abortMultipart(key: string, multipartId: string): Promise<void> {
    try {
      await abortMultipart(this.client, this.bucket, key, multipartId)
    } catch (error) {
      throw s3StoreError(error)
    }
  }

  async *listMultipartUploads(prefix: string): AsyncIterable<PendingMultipartUpload> {
    try {
      yield* listMultipartUploads(this.client, this.bucket, prefix)
    } catch (error) {
      throw s3StoreError(error)
    }
  }

  async remove(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key })).catch((error: unknown) => {
      if (!isMissing(error)) throw s3StoreError(error)
    })
  }

  async removeAll(prefix: string): Promise<void> {
    let batch: { Key: string }[] = []
    const flush = async () => {
      if (batch.length === 0) return
      const answer = await this.client
        .send(new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects: batch, Quiet: true } }))
        .catch((error: unknown) => {
          throw s3StoreError(error)
        })
      // DeleteObjects returns 200 even if single keys failed.
      if (answer.Errors !== undefined && answer.Errors.length > 0)
        throw new AppError('STORE_UNAVAILABLE', { cause: answer.Errors[0] })
      batch = []
    }
    for await (const { key } of this.list(prefix)) {
      batch.push({ Key: key })
      if (batch.length === 1000) await flush()
    }
    await flush()
  }

  localPath(): undefined {
    return undefined
  }

  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  async probe(): Promise<string[]> {
    await probeBucket(this.client, this.bucket)
    return await lifecycleWarnings(this.client, this.bucket)
  }

  close(): Promise<void> {
    this.client.destroy()
    return Promise.resolve()
  }
}
