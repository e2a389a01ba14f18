// What is asked of a bucket at start-up: that it keeps records apart, takes what we send, refuses what came damaged, and
// does not throw away what is unfinished. What fails is said by name, with what the server answered.

import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadBucketCommand,
  type LifecycleRule,
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

/** @throws an Error for the operator, or STORE_UNAVAILABLE where the server is only in trouble */
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
    // The sweep of the bucket's owner finds what a server in trouble keeps: a few bytes under probe/.
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
          `S3_BUCKET ${target.Bucket} does not know If-None-Match (${wordsOf(error)}): records would overwrite each other; another server, or a newer version of this one, is needed`,
        )
      throw s3StoreError(error)
    }
  }
  const results = await Promise.all(['1', '2', '3', '4'].map(put))
  // Of callers at one moment each may be told to try again; one that comes later must not be let through.
  const winners = results.filter(Boolean).length
  if (winners > 1 || (winners === 0 && !(await put('5'))) || (await put('6')))
    throw new Error(`S3_BUCKET ${target.Bucket} does not honour If-None-Match: records would overwrite each other`)
}

/** A wrong sum must be refused, and a right one taken: some servers refuse every sum. */
async function probeSums(client: S3Client, target: Target): Promise<void> {
  const put = (sent: Buffer) =>
    client.send(new PutObjectCommand({ ...target, Body: BODY, ChecksumCRC32: crc32Of([sent]) }))
  await put(BODY).catch((error: unknown) => refusedSum(target.Bucket, 'an object', error))
  await mustRefuse(target.Bucket, 'objects', () => put(Buffer.from('sent')))
}

/** Sends what has another one's sum: a server that takes it checks nothing. */
async function mustRefuse(bucket: string, what: string, send: () => Promise<unknown>): Promise<void> {
  try {
    await send()
  } catch (error) {
    // Servers name it differently: BadDigest, InvalidDigest, XAmzContentChecksumMismatch.
    if (statusOf(error) === 400) return
    throw s3StoreError(error)
  }
  throw new Error(
    `S3_BUCKET ${bucket} does not check x-amz-checksum-crc32 of ${what}: what a dying process sends could be kept by halves`,
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
  } finally {
    // A clean-up that fails must not hide what the probe found.
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined)
  }
}

/** A refusal is the server's kind; anything else is trouble that passes. */
function refusedSum(bucket: string, what: string, error: unknown): never {
  const status = statusOf(error) ?? 0
  const known = s3StoreError(error)
  if (known !== error || (status !== 501 && (status < 400 || status >= 500))) throw known
  throw new Error(
    `S3_BUCKET ${bucket} does not take ${what} with a right CRC-32 (${wordsOf(error)}): no upload would be stored`,
  )
}

/** So long an upload may take, with pauses; a rule that waits longer is a good one to have. */
const SAFE_ABORT_DAYS = 30
const OUR_PREFIXES = ['uploads/', 'submissions/', 'unique/', 'attempts/', 'news/', 'deliveries/', 'receipt-keys/']

/** Sentences about lifecycle rules that remove what is ours; none where the server has no rules or does not tell. */
export async function lifecycleWarnings(client: S3Client, bucket: string): Promise<string[]> {
  try {
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }))
    return Rules.flatMap((rule) => warningOf(rule).map((words) => `S3_BUCKET ${bucket}: ${words}`))
  } catch {
    // No rules, no such call on this server, or no permission to ask: nothing to warn of.
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
      `${name} aborts unfinished uploads after ${days} days, whoever is still sending; unfinished ones are removed by this service: remove the rule, or let it wait ${SAFE_ABORT_DAYS} days`,
    )
  const { Days, Date: date } = rule.Expiration ?? {}
  if (Days !== undefined || date !== undefined)
    warnings.push(`${name} removes files and records that count: remove the rule, or exclude ${hits.join(', ')}`)
  return warnings
}
