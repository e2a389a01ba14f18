// The signed token of a media link: everything needed to serve one object. Serving reads neither Redis nor a record, so
// a video keeps playing during their outages; on the other hand a link cannot be revoked before it expires.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from '../core/errors.ts'
import type { IdSecrets } from '../core/ids.ts'
import { objectKeys } from '../records/keys.ts'

export type MediaClaims = {
  uploadId: string
  /** `original`, or a rendition's name. */
  name: string
  /** Key in the object store; always below the upload's prefix. */
  key: string
  /** Whole seconds since the epoch. */
  expiresAtSeconds: number
  contentType: string
  bytes: number
  /** File name for downloads. */
  fileName: string
  /** Download instead of show. */
  download: boolean
}

const VERSION = 1
const MAC_BYTES = 16

type Payload = [
  version: number,
  uploadId: string,
  name: string,
  keyBelowUpload: string,
  expiresAtSeconds: number,
  contentType: string,
  bytes: number,
  fileName: string,
  download: 0 | 1,
]

/** URL-safe; signed with the first secret. */
export function signMediaToken(claims: MediaClaims, secrets: IdSecrets): string {
  const prefix = objectKeys.upload(claims.uploadId)
  if (!claims.key.startsWith(prefix)) throw new Error(`${claims.key} is not of upload ${claims.uploadId}`)
  const { uploadId, name, expiresAtSeconds, contentType, bytes, fileName } = claims
  const payload: Payload = [
    VERSION,
    uploadId,
    name,
    claims.key.slice(prefix.length),
    expiresAtSeconds,
    contentType,
    bytes,
    fileName,
    claims.download ? 1 : 0,
  ]
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
  return `${text}.${mac(text, secrets[0]).toString('base64url')}`
}

/** Throws LINK_INVALID if not signed with one of the secrets, LINK_EXPIRED if expired. */
export function openMediaToken(token: string, secrets: IdSecrets, nowMs: number): MediaClaims {
  const [text = '', signature = '', ...rest] = token.split('.')
  const given = Buffer.from(signature, 'base64url')
  const signed =
    rest.length === 0 &&
    given.length === MAC_BYTES &&
    secrets.some((secret) => timingSafeEqual(given, mac(text, secret)))
  if (!signed) throw new AppError('LINK_INVALID')
  const payload = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Payload
  const [version, uploadId, name, keyBelowUpload, expiresAtSeconds, contentType, bytes, fileName, download] = payload
  // Signed, but by another version of this service.
  if (version !== VERSION) throw new AppError('LINK_INVALID')
  if (expiresAtSeconds * 1000 <= nowMs) throw new AppError('LINK_EXPIRED')
  return {
    uploadId,
    name,
    expiresAtSeconds,
    contentType,
    bytes,
    fileName,
    key: objectKeys.upload(uploadId) + keyBelowUpload,
    download: download === 1,
  }
}

function mac(text: string, secret: string): Buffer {
  return createHmac('sha256', `media-link:${secret}`).update(text).digest().subarray(0, MAC_BYTES)
}
