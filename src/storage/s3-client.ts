// The S3 client with settings for all S3 servers, and the classification of its errors.

import { performance } from 'node:perf_hooks'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { AppError } from '../core/errors.ts'
import { KeptHttp, KeptHttps } from './agents.ts'

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
    // The default CRC32 trailers break several S3 servers; checksums are requested explicitly where needed.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 5000,
      // A part upload with all retries must end before a successor may send the same part.
      requestTimeout: 20_000,
      // Without it the time-out is only logged, and a hanging store would block callers for ever.
      throwOnRequestTimeout: true,
      httpAgent: new KeptHttp({ keepAlive: true, maxSockets }),
      httpsAgent: new KeptHttps({ keepAlive: true, maxSockets }),
    }),
  }
}

export function createS3Client(settings: S3Settings, maxSockets = 64, onCall?: OnS3Call): S3Client {
  const client = new S3Client(s3ClientConfig(settings, maxSockets))
  if (onCall !== undefined) watchCalls(client, onCall)
  return client
}

/** Called for every attempt of a call. `ok`: an expected response. */
export type OnS3Call = (operation: string, seconds: number, ok: boolean) => void

/** Calls `onCall` for every call of a client; presigned URLs do not count. */
export function watchCalls(client: S3Client, onCall: OnS3Call): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const startedAtMs = performance.now()
      const operation = String(context['commandName'] ?? 'Unknown').replace(/Command$/, '')
      const done = (ok: boolean) => onCall(operation, (performance.now() - startedAtMs) / 1000, ok)
      try {
        const result = await next(args)
        done(true)
        return result
      } catch (error) {
        const status = (error as S3Failure | null)?.$metadata?.httpStatusCode
        done(status !== undefined && isExpectedStatus(status))
        throw error
      }
    },
    // Inside the retries, around the parsing of the response.
    { step: 'deserialize', priority: 'high', name: 'songnganWatch' },
  )
}

/** "Not found" and "exists already" are expected responses, not errors. */
export function isExpectedStatus(status: number): boolean {
  return status < 500 && status !== 403 && status !== 408 && status !== 429
}

type S3Failure = { name?: string; Code?: string; $metadata?: { httpStatusCode?: number } }

export function isS3Error(error: unknown, ...names: string[]): boolean {
  const { name, Code } = (error ?? {}) as S3Failure
  return names.includes(name ?? '') || names.includes(Code ?? '')
}

/** A 400 that can be retried: the body arrived incompletely or too slowly. */
export const isIncompleteBody = (error: unknown): boolean =>
  isS3Error(error, 'RequestTimeout', 'IncompleteBody', 'BadDigest', 'XAmzContentChecksumMismatch')

export const isMissing = (error: unknown): boolean => isS3Error(error, 'NoSuchKey', 'NotFound')

/** Failures of the store become STORE_UNAVAILABLE; other errors are unchanged. */
export function s3StoreError(error: unknown): unknown {
  if (error instanceof AppError) return error
  const status = (error as S3Failure | null)?.$metadata?.httpStatusCode
  if (isS3Error(error, 'QuotaExceeded', 'XMinioStorageFull', 'EntityTooLarge', 'InsufficientStorage') || status === 507)
    return new AppError('NO_SPACE', { cause: error, retryAfterSeconds: 60 })
  // No status: the connection failed or timed out. 403: wrong credentials, which an operator must fix, not the client.
  const passing = status === undefined || status >= 500 || status === 429 || status === 408
  if (passing || status === 403 || isIncompleteBody(error))
    return new AppError('STORE_UNAVAILABLE', { cause: error, retryAfterSeconds: 10 })
  return error
}
