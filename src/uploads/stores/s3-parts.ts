// Based on @tus/s3-store: its client and its limits of part sizes. Its hot path is overridden, because it writes every
// part to a temporary file, lists parts up to three times per request, counts parts after a gap and deletes a tail
// before its bytes are stored again. Here parts are chunks in memory, numbered by their offset, sent by S3Sender.

import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
} from '@aws-sdk/client-s3'
import { S3Store } from '@tus/s3-store'
import { retryWhileUnavailable } from '../../core/retry.ts'
import type { StoredPart } from '../../records/upload-record.ts'
import {
  isS3Error,
  type OnS3Call,
  type S3Settings,
  s3ClientConfig,
  s3StoreError,
  watchCalls,
} from '../../storage/s3-client.ts'
import { S3Sender, type Sent } from '../../storage/s3-sender.ts'
import { PartsLost } from './port.ts'

const LONG_FILM_BYTES = 1024 ** 3

export class S3Parts extends S3Store {
  readonly #sender: S3Sender

  constructor(settings: S3Settings, partBytes: number, maxSockets: number, onCall?: OnS3Call) {
    const s3ClientConfigWithBucket = { ...s3ClientConfig(settings, maxSockets), bucket: settings.bucket }
    super({ partSize: partBytes, s3ClientConfig: s3ClientConfigWithBucket, useTags: false })
    this.#sender = new S3Sender(this.client, settings.bucket, maxSockets, onCall)
    if (onCall !== undefined) watchCalls(this.client, onCall)
  }

  /**
   * Part size for an upload of `size` bytes (`atMost` if unknown) with at most 10,000 parts. The
   * library returns the whole size for a small file; here the offset of a part must follow from its number. A
   * large file has parts of twice the size, because its verdict waits until the store has joined them.
   */
  sizeOfParts(size: number | null, atMost: number): number {
    const preferred = (size ?? 0) >= LONG_FILM_BYTES ? 2 * this.preferredPartSize : this.preferredPartSize
    return Math.max(preferred, Math.ceil((size ?? atMost) / this.maxMultipartParts))
  }

  /** Starts a multipart upload with CRC-32 checksums of its parts. */
  async start(key: string): Promise<string> {
    return await this.#call(async () => {
      const { UploadId } = await this.client.send(
        new CreateMultipartUploadCommand({
          Bucket: this.bucket,
          Key: key,
          ContentType: 'application/octet-stream',
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'COMPOSITE',
        }),
      )
      if (UploadId === undefined) throw new Error('CreateMultipartUpload returned no UploadId')
      return UploadId
    })
  }

  /** Sends one part. Throws PartsLost if the multipart upload was aborted. */
  async send(key: string, multipartId: string, number: number, chunks: Buffer[], bytes: number): Promise<Sent> {
    try {
      return await this.#sender.put(key, chunks, bytes, { part: { multipartId, number } })
    } catch (error) {
      if (!isS3Error(error, 'NoSuchUpload')) throw error
      throw new PartsLost(`multipart upload ${multipartId} of ${key} is gone`, { cause: error })
    }
  }

  /** Writes an object under a new key. */
  async put(key: string, chunks: Buffer[], bytes: number, metadata: Record<string, string> = {}): Promise<void> {
    await this.#sender.put(key, chunks, bytes, { metadata })
  }

  /** The longest sequence of parts from the first without a gap; each has `partBytes`, except the last. */
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
        for (const { PartNumber, Size, ETag, ChecksumCRC32 } of page.Parts ?? []) {
          const offset = parts.length * partBytes
          const last = parts.at(-1)
          if (PartNumber !== parts.length + 1 || (last !== undefined && last.bytes !== partBytes)) return parts
          parts.push({
            number: PartNumber,
            offset,
            bytes: Size ?? 0,
            ...(ETag === undefined ? {} : { etag: ETag }),
            ...(ChecksumCRC32 === undefined ? {} : { crc32: ChecksumCRC32 }),
          })
        }
        marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
      } while (marker !== undefined)
      return parts
    } catch (error) {
      // Never "finished": an aborted upload has no parts.
      if (isS3Error(error, 'NoSuchUpload')) return []
      throw s3StoreError(error)
    }
  }

  /** Ids of the multipart uploads of a key. */
  async listMultipartUploads(key: string): Promise<string[]> {
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
    return await retryWhileUnavailable(async () => {
      try {
        return await work()
      } catch (error) {
        throw s3StoreError(error)
      }
    })
  }

  async destroy(): Promise<void> {
    await this.#sender.destroy()
    this.client.destroy()
  }
}
