// The S3 client with settings that every S3 server understands, and what its errors mean to us.

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { AppError } from '../core/errors.ts'

export type S3Settings = {
  bucket: string
  endpoint: string | undefined
  region: string
  forcePathStyle: boolean
}

/** Client settings; credentials come from the AWS credential chain. */
export function s3ClientConfig(settings: S3Settings, maxSockets: number): S3ClientConfig {
  return {
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    // The default CRC32 trailers break several S3 servers; where a checksum is wanted it is asked for by name.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 5000,
      // A part's whole life, retries included, must end before a successor may send the same part.
      requestTimeout: 20_000,
      // Without it the time-out is only logged, and a frozen store would hold its callers for ever.
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    }),
  }
}

export function createS3Client(settings: S3Settings, maxSockets = 64): S3Client {
  return new S3Client(s3ClientConfig(settings, maxSockets))
}

type S3Failure = { name?: string; Code?: string; $metadata?: { httpStatusCode?: number } }

export function isS3Error(error: unknown, ...names: string[]): boolean {
  const { name, Code } = (error ?? {}) as S3Failure
  return names.includes(name ?? '') || names.includes(Code ?? '')
}

export const isMissing = (error: unknown): boolean => isS3Error(error, 'NoSuchKey', 'NotFound')

/** Trouble with the store becomes STORE_UNAVAILABLE; everything else stays what it is. */
export function s3StoreError(error: unknown): unknown {
  if (error instanceof AppError) return error
  const status = (error as S3Failure | null)?.$metadata?.httpStatusCode
  if (
    isS3Error(error, 'QuotaExceeded', 'XMinioStorageFull', 'EntityTooLarge', 'InsufficientStorage') ||
    status === 507
  )
    return new AppError('NO_SPACE', { cause: error, retryAfterSeconds: 60 })
  // No status: the connection failed or timed out. 403: credentials are ours to mend, never the client's fault.
  if (status === undefined || status >= 500 || status === 403 || status === 429 || status === 408)
    return new AppError('STORE_UNAVAILABLE', { cause: error, retryAfterSeconds: 10 })
  return error
}
