// Links to the files of an upload: the original, once it is one object, and finished renditions.

import type { LinkSession } from '../auth/link-session.ts'
import type { Secrets } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import { needsAssembly } from '../lifecycle/pending-lanes.ts'
import { isStored, type Rendition, type UploadRecord } from '../records/upload-record.ts'
import { mayShow, renditionFileName, safeFileName, typeOfOriginal } from './file-names.ts'
import { type MediaClaims, signMediaToken } from './media-token.ts'

const ORIGINAL = 'original'

export type MediaLink = {
  name: string
  url: string
  contentType: string
  bytes: number
  /** RFC 3339. */
  expiresAt: string
}

export type LinkOptions = {
  /** Default: all that are available. */
  names?: string[] | undefined
  /** Download instead of show. */
  download: boolean
  /** Milliseconds since the epoch; rounded up to whole seconds. */
  expiresAtMs: number
  /** Without trailing slash. */
  baseUrl: string
  secrets: Secrets
  /** Of the session that asks; null: a portal asks. */
  session: LinkSession | null
  /** As `derives` of signMediaToken. */
  derives: boolean
}

type Readable = Pick<MediaClaims, 'name' | 'key' | 'contentType' | 'bytes' | 'fileName'>

/**
 * Throws UPLOAD_EXPIRED, UPLOAD_CANCELLED or MEDIA_REMOVED for removed media, MEDIA_UNKNOWN {name} for a name
 * that the upload does not have, and MEDIA_NOT_READY {name, state} for media that are not ready.
 */
export function mediaLinks(record: UploadRecord, options: LinkOptions): MediaLink[] {
  const removed = removalOf(record)
  if (removed !== undefined) throw removed
  const found = [original(record), ...record.renditions.map((rendition) => renditionOf(record, rendition))]
  const wanted = options.names?.map((name) => readable(record, found, name)) ?? found.filter(isReadable)
  if (wanted.length === 0)
    throw new AppError('MEDIA_NOT_READY', { details: { state: record.state }, retryAfterSeconds: 5 })
  const expiresAtSeconds = Math.ceil(options.expiresAtMs / 1000)
  return wanted.map((media) => {
    const download = options.download || !mayShow(media.contentType)
    const { session, secrets, derives } = options
    const claims: MediaClaims = { ...media, uploadId: record.id, expiresAtSeconds, download, session }
    const token = signMediaToken(claims, secrets, derives)
    return {
      name: media.name,
      url: `${options.baseUrl}/media/${token}/${encodeURIComponent(media.fileName)}`,
      contentType: media.contentType,
      bytes: media.bytes,
      expiresAt: new Date(expiresAtSeconds * 1000).toISOString(),
    }
  })
}

/** Why the media of an upload are gone (410); undefined: they are not. */
export function removalOf({ state, mediaRemovedAt }: UploadRecord): AppError | undefined {
  if (state === 'expired') return new AppError('UPLOAD_EXPIRED')
  if (state === 'cancelled') return new AppError('UPLOAD_CANCELLED')
  return mediaRemovedAt === undefined ? undefined : new AppError('MEDIA_REMOVED', { details: { mediaRemovedAt } })
}

type Missing = { name: string; state: string }

const isReadable = (media: Readable | Missing): media is Readable => 'key' in media

function readable(record: UploadRecord, found: (Readable | Missing)[], name: string): Readable {
  const media = found.find((candidate) => candidate.name === name)
  if (media === undefined) {
    const names = [ORIGINAL, ...record.renditions.map((rendition) => rendition.name)]
    throw new AppError('MEDIA_UNKNOWN', { details: { name, names } })
  }
  if (!isReadable(media)) throw new AppError('MEDIA_NOT_READY', { details: media, retryAfterSeconds: 5 })
  return media
}

function original(record: UploadRecord): Readable | Missing {
  if (!isStored(record.state)) return { name: ORIGINAL, state: record.state }
  // The bytes are durable, but not yet one object.
  if (needsAssembly(record)) return { name: ORIGINAL, state: 'assembling' }
  return {
    name: ORIGINAL,
    key: record.object.key,
    contentType: typeOfOriginal(record.measured),
    bytes: record.receivedBytes,
    fileName: fileNameOf(record),
  }
}

function renditionOf(record: UploadRecord, rendition: Rendition): Readable | Missing {
  const { name, state, key, contentType, bytes } = rendition
  if (state !== 'ready') return { name, state }
  if (key === undefined || contentType === undefined || bytes === undefined)
    throw new Error(`rendition ${name} of upload ${record.id} is ready without a key`)
  return { name, key, contentType, bytes, fileName: renditionFileName(fileNameOf(record), name, contentType) }
}

function fileNameOf(record: UploadRecord): string {
  return safeFileName(record.declared.filename, record.slot ?? 'upload')
}
