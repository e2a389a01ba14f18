// File names and content types of downloads. Names come from users and may be hostile; types come from
// the measured container, never from declared types.

import type { Measured } from '../records/upload-record.ts'

const MAX_CHARS = 120

/** Types by measured container. All others are download only. */
const TYPES: Record<string, { contentType: string; extension: string }> = {
  mp4: { contentType: 'video/mp4', extension: 'mp4' },
  mov: { contentType: 'video/quicktime', extension: 'mov' },
  '3gp': { contentType: 'video/3gpp', extension: '3gp' },
  matroska: { contentType: 'video/x-matroska', extension: 'mkv' },
  webm: { contentType: 'video/webm', extension: 'webm' },
  avi: { contentType: 'video/x-msvideo', extension: 'avi' },
  mpegts: { contentType: 'video/mp2t', extension: 'ts' },
  mpegps: { contentType: 'video/mpeg', extension: 'mpg' },
  asf: { contentType: 'video/x-ms-wmv', extension: 'wmv' },
  flv: { contentType: 'video/x-flv', extension: 'flv' },
  ogg: { contentType: 'application/ogg', extension: 'ogg' },
  m4a: { contentType: 'audio/mp4', extension: 'm4a' },
  wav: { contentType: 'audio/wav', extension: 'wav' },
  mp3: { contentType: 'audio/mpeg', extension: 'mp3' },
  jpeg: { contentType: 'image/jpeg', extension: 'jpg' },
  png: { contentType: 'image/png', extension: 'png' },
  gif: { contentType: 'image/gif', extension: 'gif' },
  webp: { contentType: 'image/webp', extension: 'webp' },
  pdf: { contentType: 'application/pdf', extension: 'pdf' },
}
const UNKNOWN = 'application/octet-stream'

export function typeOfOriginal(measured: Pick<Measured, 'container'> | null): string {
  return TYPES[measured?.container ?? '']?.contentType ?? UNKNOWN
}

/** Whether a browser may show this type: types that cannot run scripts. Others are download only. */
export function mayShow(contentType: string): boolean {
  return (
    /^(video|audio)\//.test(contentType) ||
    ['application/pdf', 'image/jpeg', 'image/png', 'image/gif', 'image/webp'].includes(contentType)
  )
}

/** A file name without path, control characters and direction marks; `fallback` if nothing is left. */
export function safeFileName(name: string | null, fallback: string): string {
  const cleaned = (name ?? '')
    .normalize('NFC')
    .replace(/^.*[/\\]/s, '')
    // Cc, and Cf but for the joiners that Thai and its neighbours need: zero-width (non-)joiner and space
    .replace(/[\p{Cc}\p{Cs}]|(?![\u200b-\u200d])\p{Cf}/gu, '')
    .replace(/["*:<>?|]/g, '_')
    .trim()
    .replace(/^\.+/, '')
  const chars = [...cleaned]
  if (chars.length === 0) return fallback
  if (chars.length <= MAX_CHARS) return cleaned
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(cleaned)?.[0] ?? ''
  return chars.slice(0, MAX_CHARS - extension.length).join('') + extension
}

/** File name of a rendition: base of the original, name of the rendition, extension of its type. */
export function renditionFileName(original: string, rendition: string, contentType: string): string {
  // An extension has a letter: `.2` in `แผน v1.2` is part of the name.
  const base = original.replace(/\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,8}$/, '')
  const extension = Object.values(TYPES).find((type) => type.contentType === contentType)?.extension
  return `${base}-${rendition}${extension === undefined ? '' : `.${extension}`}`
}

/**
 * Content-Disposition (RFC 6266): `filename` for old readers, in ASCII, and `filename*` with the name as it is
 * (RFC 5987: UTF-8, percent-encoded but for its attr-chars).
 */
export function contentDisposition(kind: 'inline' | 'attachment', fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_')
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
