// Upload ids: 3 bytes shard, 16 random bytes, 6 bytes HMAC, written as 40 lower-case base32 characters.
// With the HMAC an invalid id needs no look-up. With the shard (from owner and submission) the key in the
// object store follows from the id, and the uploads of a submission can be listed when Redis is empty.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { deriveKey, type Secrets } from './derive-key.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
export const UPLOAD_ID = /^[a-z2-7]{40}$/
const SHARD_BYTES = 3
const RANDOM_BYTES = 16
const MAC_BYTES = 6

/** RFC 4648 base32, lower case, without padding; `bytes` must be a multiple of five long. */
function base32(bytes: Buffer): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 5) {
    let block = bytes.readUIntBE(i, 5)
    let group = ''
    for (let j = 0; j < 8; j++) {
      group = ALPHABET.charAt(block % 32) + group
      block = Math.floor(block / 32)
    }
    text += group
  }
  return text
}

function fromBase32(text: string): Buffer {
  const bytes = Buffer.alloc((text.length / 8) * 5)
  for (let i = 0; i < text.length; i += 8) {
    let block = 0
    for (let j = 0; j < 8; j++) block = block * 32 + ALPHABET.indexOf(text.charAt(i + j))
    bytes.writeUIntBE(block, (i / 8) * 5, 5)
  }
  return bytes
}

function mac(body: Buffer, key: string | Buffer): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES)
}

const keyOf = (secret: string) => deriveKey(secret, 'songngan upload id, version 1')
/** Of ids from versions before keys were derived. They are in records, and good for as long as those. */
const earlierKeyOf = (secret: string) => `upload-id:${secret}`

/**
 * A new upload id for a submission (or for none, under AUTH=none).
 *
 * @param derives false: as versions before keys were derived, which run beside this one
 */
export function newUploadId(owner: string, submissionId: string | null, secrets: Secrets, derives = true): string {
  const shard = createHash('sha256')
    .update(`${owner}\n${submissionId ?? ''}`)
    .digest()
    .subarray(0, SHARD_BYTES)
  // Uploads without a submission get random shards.
  const body = Buffer.concat([submissionId === null ? randomBytes(SHARD_BYTES) : shard, randomBytes(RANDOM_BYTES)])
  const key = derives ? keyOf(secrets[0]) : earlierKeyOf(secrets[0])
  return base32(Buffer.concat([body, mac(body, key)]))
}

/** Whether it has the format of an upload id, without checking the HMAC. */
export function hasUploadIdShape(id: string): boolean {
  return UPLOAD_ID.test(id)
}

/** True for an id issued with these secrets. Costs an HMAC or some, no look-up. */
export function isUploadId(id: string, secrets: Secrets): boolean {
  if (!hasUploadIdShape(id)) return false
  const bytes = fromBase32(id)
  const body = bytes.subarray(0, SHARD_BYTES + RANDOM_BYTES)
  const given = bytes.subarray(SHARD_BYTES + RANDOM_BYTES)
  const isMarkedBy = (key: string | Buffer) => timingSafeEqual(given, mac(body, key))
  return (
    secrets.some((secret) => isMarkedBy(keyOf(secret))) || secrets.some((secret) => isMarkedBy(earlierKeyOf(secret)))
  )
}

/** Six hex digits: the store prefix of all uploads of one submission. */
export function shardOfUpload(uploadId: string): string {
  return fromBase32(uploadId.slice(0, 8)).subarray(0, SHARD_BYTES).toString('hex')
}

export function shardOfSubmission(owner: string, submissionId: string): string {
  return createHash('sha256').update(`${owner}\n${submissionId}`).digest().subarray(0, SHARD_BYTES).toString('hex')
}

/** 96 random bits, for nonces, fences and new object keys. */
export function newToken(): string {
  return randomBytes(12).toString('hex')
}

/** As newToken makes them. */
export const SESSION_ID = /^[0-9a-f]{24}$/

const SUBMISSION_ID = /^[A-Za-z0-9._~-]{1,128}$/

/** Portals choose submission ids; `.` and `..` are refused, because they are folders. */
export function isSubmissionId(id: string): boolean {
  return SUBMISSION_ID.test(id) && id !== '.' && id !== '..'
}
