// @tus/s3-store as the base: its client, its arithmetic of part sizes and its UploadPart. Overridden is its hot path,
// which writes every part through a temporary file, lists parts up to three times a request, counts parts behind a gap
// and deletes a tail before its bytes are stored again: here parts are Buffers, numbered by their offset.

import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { type MetadataValue, S3Store } from '@tus/s3-store'
import { TUS_RESUMABLE, Upload } from '@tus/server'
import type { StoredPart } from '../../records/upload-record.ts'
import { isS3Error, type S3Settings, s3ClientConfig, s3StoreError } from '../../storage/s3-client.ts'

/** A part's whole life, retries included: a successor waits 30 s before it sends the same part. */
const PART_TIMEOUT_MS = 25_000

export class S3Parts extends S3Store {
  constructor(settings: S3Settings, partBytes: number, maxSockets: number) {
    const s3ClientConfigWithBucket = { ...s3ClientConfig(settings, maxSockets), bucket: settings.bucket }
    super({ partSize: partBytes, s3ClientConfig: s3ClientConfigWithBucket, useTags: false })
  }

  /**
   * Part size for an upload of `size` bytes that keeps within 10,000 parts. The library's own answer is the whole size
   * for a small file; here a part's place must follow from its number alone.
   */
  sizeOfParts(size: number): number {
    return Math.max(this.preferredPartSize, Math.ceil(size / this.maxMultipartParts))
  }

  async start(key: string): Promise<string> {
    return await this.#call(async () => {
      const { UploadId } = await this.client.send(
        new CreateMultipartUploadCommand({
          Bucket: this.bucket,
          Key: key,
          ContentType: 'application/octet-stream',
        }),
      )
      if (UploadId === undefined) throw new Error('CreateMultipartUpload answered without an UploadId')
      return UploadId
    })
  }

  /** Sends one part; resolves with its ETag. */
  async send(key: string, multipartId: string, number: number, body: Buffer): Promise<string> {
    const metadata: MetadataValue = {
      file: new Upload({ id: key, offset: 0 }),
      'upload-id': multipartId,
      'tus-version': TUS_RESUMABLE,
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`part ${number} took longer than ${PART_TIMEOUT_MS} ms`)),
        PART_TIMEOUT_MS,
      )
    })
    return await this.#call(
      async () => await Promise.race([this.uploadPart(metadata, body, number), late]),
    ).finally(() => clearTimeout(timer))
  }

  /** Writes a whole object under a fresh key. */
  async put(key: string, body: Buffer, metadata: Record<string, string> = {}): Promise<void> {
    await this.#call(() =>
      this.client.send(
        new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, Metadata: metadata }),
      ),
    )
  }

  /** The longest run of parts from the first on without a gap, each `partBytes` long but the last. */
  async contiguous(key: string, multipartId: string, partBytes: number): Promise<StoredPart[]> {
    const parts: StoredPart[] = []
    let marker: string | undefined
    try {
      do {
        const page: ListPartsCommandOutput = await this.client.send(
          new ListPartsCommand({
            Bucket: this.bucket,
            Key: key,
            UploadId: multipartId,
            ...(marker === undefined ? {} : { PartNumberMarker: marker }),
          }),
        )
        for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
          const offset = parts.length * partBytes
          const last = parts.at(-1)
          if (PartNumber !== parts.length + 1 || (last !== undefined && last.bytes !== partBytes))
            return parts
          parts.push({
            number: PartNumber,
            offset,
            bytes: Size ?? 0,
            ...(ETag === undefined ? {} : { etag: ETag }),
          })
        }
        marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
      } while (marker !== undefined)
      return parts
    } catch (error) {
      // Never read as "finished": an upload that is gone holds nothing.
      if (isS3Error(error, 'NoSuchUpload')) return []
      throw s3StoreError(error)
    }
  }

  /** Ids of multipart uploads that were begun for a key. */
  async begun(key: string): Promise<string[]> {
    return await this.#call(async () => {
      const page: ListMultipartUploadsCommandOutput = await this.client.send(
        new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: key }),
      )
      return (page.Uploads ?? []).flatMap(({ Key, UploadId }) =>
        Key === key && UploadId !== undefined ? [UploadId] : [],
      )
    })
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw s3StoreError(error)
    }
  }

  destroy(): void {
    this.client.destroy()
  }
}
