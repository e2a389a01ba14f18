// The signed token of a media link: everything needed to serve one object. For a link that a portal asked for, serving reads
// neither Redis nor a record; one that a page asked for names its session, and ends with it.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { LinkSession } from '../auth/link-session.ts'
import { deriveKey, type Secrets } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
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
  /** Of the session that asked for the link; null: a portal asked. */
  session: LinkSession | null
}

const VERSION = 2
/** Of versions before keys were derived: without a session. */
const EARLIER_VERSION = 1
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
  session?: [owner: string, submission: string, id: string | null, revocations: number | null, person: string | null],
]

/**
 * URL-safe; signed with the first secret.
 *
 * @param derives false: as versions before keys were derived, which run beside this one
 */
export function signMediaToken(claims: MediaClaims, secrets: Secrets, derives = true): string {
  const prefix = objectKeys.upload(claims.uploadId)
  if (!claims.key.startsWith(prefix)) throw new Error(`${claims.key} is not of upload ${claims.uploadId}`)
  const { uploadId, name, expiresAtSeconds, contentType, bytes, fileName } = claims
  const payload: Payload = [
    derives ? VERSION : EARLIER_VERSION,
    uploadId,
    name,
    claims.key.slice(prefix.length),
    expiresAtSeconds,
    contentType,
    bytes,
    fileName,
    claims.download ? 1 : 0,
  ]
  if (derives && claims.session !== null) {
    const { owner, submission, id, revocations, person } = claims.session
    payload.push([owner, submission, id, revocations, person])
  }
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
  const key = derives ? keyOf(secrets[0]) : earlierKeyOf(secrets[0])
  return `${text}.${mac(text, key).toString('base64url')}`
}

/** Throws LINK_INVALID if not signed with one of the secrets, LINK_EXPIRED if expired. */
export function openMediaToken(token: string, secrets: Secrets, nowMs: number): MediaClaims {
  const [text = '', signature = '', ...rest] = token.split('.')
  const given = Buffer.from(signature, 'base64url')
  const isSignedBy = (keyFor: (secret: string) => string | Buffer) =>
    secrets.some((secret) => timingSafeEqual(given, mac(text, keyFor(secret))))
  const signed = rest.length === 0 && given.length === MAC_BYTES && (isSignedBy(keyOf) || isSignedBy(earlierKeyOf))
  if (!signed) throw new AppError('LINK_INVALID')
  const payload = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Payload
  const [version, uploadId, name, keyBelowUpload, expiresAtSeconds, contentType, bytes, fileName, download, of] =
    payload
  // Signed, but by another version of this service.
  if (version !== VERSION && version !== EARLIER_VERSION) throw new AppError('LINK_INVALID')
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
    session:
      of === undefined ? null : { owner: of[0], submission: of[1], id: of[2], revocations: of[3], person: of[4] },
  }
}

const keyOf = (secret: string) => deriveKey(secret, 'songngan media link, version 1')
const earlierKeyOf = (secret: string) => `media-link:${secret}`

function mac(text: string, key: string | Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES)
}
