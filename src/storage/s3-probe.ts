// Tests a bucket at start: conditional writes work, correct checksums are accepted, wrong ones refused, and
// no lifecycle rule removes unfinished uploads. Errors name the failed feature and the response of the server.

import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadBucketCommand,
  type LifecycleRule,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { newToken } from '../core/ids.ts'
import { crc32Of } from './crc32.ts'
import { isS3Error, s3StoreError } from './s3-client.ts'

type Failure = { name?: string; message?: string; $metadata?: { httpStatusCode?: number } }

const BODY = Buffer.from('came')
const statusOf = (error: unknown) => (error as Failure).$metadata?.httpStatusCode
const wordsOf = (error: unknown) => {
  const { name, message } = error as Failure
  return `${statusOf(error) ?? 'no answer'} ${name ?? ''} ${message ?? ''}`.trim()
}

/** @throws an Error for the operator, or STORE_UNAVAILABLE if the server only fails temporarily */
export async function probeBucket(client: S3Client, bucket: string): Promise<void> {
  await client.send(new HeadBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
    throw new Error(
      `S3_BUCKET ${bucket} cannot be reached: ${error instanceof Error ? error.message || error.name : error}`,
    )
  })
  const key = `probe/${newToken()}`
  const target = { Bucket: bucket, Key: key }
  try {
    await probeConditions(client, target)
    await probeSums(client, { ...target, Key: `${key}-sum` })
    await probePart(client, { ...target, Key: `${key}-part` })
  } finally {
    // A failing server may keep a few bytes under probe/.
    for (const Key of [key, `${key}-sum`])
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key })).catch(() => undefined)
  }
}

type Target = { Bucket: string; Key: string }

async function probeConditions(client: S3Client, target: Target): Promise<void> {
  const put = async (body: string) => {
    try {
      await client.send(new PutObjectCommand({ ...target, Body: body, IfNoneMatch: '*' }))
      return true
    } catch (error) {
      if (isS3Error(error, 'PreconditionFailed', 'ConditionalRequestConflict')) return false
      if (statusOf(error) === 501 || isS3Error(error, 'NotImplemented'))
        throw new Error(
          `S3_BUCKET ${target.Bucket} does not support If-None-Match (${wordsOf(error)}): records would overwrite each other. Use another S3 server or a newer version`,
        )
      throw s3StoreError(error)
    }
  }
  const results = await Promise.all(['1', '2', '3', '4'].map(put))
  // Concurrent callers may all be told to retry; a later one must be refused.
  const winners = results.filter(Boolean).length
  if (winners > 1 || (winners === 0 && !(await put('5'))) || (await put('6')))
    throw new Error(
      `S3_BUCKET ${target.Bucket} ignores If-None-Match: records would overwrite each other. Use another S3 server`,
    )
}

/** Wrong checksums must be refused, correct ones accepted: some servers refuse all. */
async function probeSums(client: S3Client, target: Target): Promise<void> {
  const put = (sent: Buffer) =>
    client.send(new PutObjectCommand({ ...target, Body: BODY, ChecksumCRC32: crc32Of([sent]) }))
  await put(BODY).catch((error: unknown) => refusedSum(target.Bucket, 'an object', error))
  await mustRefuse(target.Bucket, 'objects', () => put(Buffer.from('sent')))
}

/** Sends a body with a wrong checksum: a server that accepts it does not check. */
async function mustRefuse(bucket: string, what: string, send: () => Promise<unknown>): Promise<void> {
  try {
    await send()
  } catch (error) {
    // Servers name it differently: BadDigest, InvalidDigest, XAmzContentChecksumMismatch.
    if (statusOf(error) === 400) return
    throw s3StoreError(error)
  }
  throw new Error(
    `S3_BUCKET ${bucket} does not check x-amz-checksum-crc32 of ${what}: incomplete bodies of a dying process could be stored`,
  )
}

async function probePart(client: S3Client, target: Target): Promise<void> {
  const { UploadId } = await client
    .send(
      new CreateMultipartUploadCommand({
        ...target,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'COMPOSITE',
      }),
    )
    .catch((error: unknown) => refusedSum(target.Bucket, 'a multipart upload', error))
  const put = (sent: Buffer) =>
    client.send(
      new UploadPartCommand({
        ...target,
        UploadId,
        PartNumber: 1,
        Body: BODY,
        ChecksumCRC32: crc32Of([sent]),
      }),
    )
  try {
    await put(BODY).catch((error: unknown) => refusedSum(target.Bucket, 'a part', error))
    await mustRefuse(target.Bucket, 'parts', () => put(Buffer.from('sent')))
    const { Parts = [] } = await client.send(new ListPartsCommand({ ...target, UploadId })).catch((error: unknown) => {
      throw s3StoreError(error)
    })
    // Complete names the checksum of every part; once Redis is lost they are known from here only.
    if (Parts.length !== 1 || Parts[0]?.ChecksumCRC32 !== crc32Of([BODY]))
      throw new Error(
        `S3_BUCKET ${target.Bucket} does not list parts with their CRC-32: after a loss of Redis unfinished uploads could not be completed`,
      )
  } finally {
    // A failed clean-up must not hide the result of the probe.
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined)
  }
}

/** A refusal is permanent; other errors are temporary. */
function refusedSum(bucket: string, what: string, error: unknown): never {
  const status = statusOf(error) ?? 0
  const known = s3StoreError(error)
  if (known !== error || (status !== 501 && (status < 400 || status >= 500))) throw known
  throw new Error(
    `S3_BUCKET ${bucket} does not accept ${what} with a correct CRC-32 (${wordsOf(error)}): no upload could be stored`,
  )
}

/** Rules that wait longer than this are no problem. */
const SAFE_ABORT_DAYS = 30
const OUR_PREFIXES = [
  'uploads/',
  'submissions/',
  'unique/',
  'attempts/',
  'news/',
  'deliveries/',
  'receipt-keys/',
  'contents/',
  'content-key',
  'heartbeats/',
  'outages/',
]

/** Warnings about lifecycle rules that remove our objects; none if the rules cannot be read. */
export async function lifecycleWarnings(client: S3Client, bucket: string): Promise<string[]> {
  try {
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }))
    return Rules.flatMap((rule) => warningOf(rule).map((words) => `S3_BUCKET ${bucket}: ${words}`))
  } catch {
    // No rules, no such call on this server, or no permission to read them.
    return []
  }
}

function warningOf(rule: LifecycleRule): string[] {
  const prefix = rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? rule.Prefix ?? ''
  const hits = OUR_PREFIXES.filter((ours) => ours.startsWith(prefix) || prefix.startsWith(ours))
  if (rule.Status !== 'Enabled' || hits.length === 0) return []
  const name = `lifecycle rule ${rule.ID ?? '(unnamed)'}`
  const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation
  const warnings: string[] = []
  if (days !== undefined && days < SAFE_ABORT_DAYS && hits.includes('uploads/'))
    warnings.push(
      `${name} aborts unfinished uploads after ${days} days, also running ones. The service removes unfinished uploads itself: remove the rule, or set it to at least ${SAFE_ABORT_DAYS} days`,
    )
  const { Days, Date: date } = rule.Expiration ?? {}
  if (Days !== undefined || date !== undefined)
    warnings.push(`${name} removes files and records of the service: remove the rule, or exclude ${hits.join(', ')}`)
  return warnings
}
