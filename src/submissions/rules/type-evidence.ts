// What the file name and the declared type suggest. They do not decide, but can save a person from sending four
// gigabytes that cannot be accepted. Clients often declare nothing or something wrong: only a value that is
// a known other format counts against a file, and one matching value is enough.

import type { MediaKind } from '../../core/identify.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { containerVerdict } from './judge.ts'

/** Generic types of clients. */
const SAYS_NOTHING = new Set([
  '',
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-unknown',
  'application/unknown',
  'unknown/unknown',
  '*/*',
])

type Format = { kind: MediaKind; container: string }

const formats = (kind: MediaKind, containers: Record<string, string>): [string, Format][] =>
  Object.entries(containers).flatMap(([container, names]) =>
    names.split(' ').map((name): [string, Format] => [name, { kind, container }]),
  )

const EXTENSIONS: ReadonlyMap<string, Format> = new Map([
  ...formats('video', {
    mp4: 'mp4 m4v',
    mov: 'mov qt',
    '3gp': '3gp 3g2',
    matroska: 'mkv',
    webm: 'webm',
    avi: 'avi divx',
    mpegts: 'ts mts m2ts',
    mpegps: 'mpg mpeg vob',
    asf: 'wmv asf',
    flv: 'flv f4v',
    ogg: 'ogv',
  }),
  ...formats('audio', {
    mp3: 'mp3',
    m4a: 'm4a',
    wav: 'wav',
    aac: 'aac',
    flac: 'flac',
    ogg: 'ogg oga',
    amr: 'amr',
  }),
  ...formats('image', {
    jpeg: 'jpg jpeg',
    png: 'png',
    gif: 'gif',
    webp: 'webp',
    heif: 'heic heif',
    tiff: 'tif tiff',
    bmp: 'bmp',
  }),
  ...formats('pdf', { pdf: 'pdf' }),
  ...formats('other', {
    zip: 'zip docx pptx xlsx odt odp',
    ole: 'doc ppt xls',
    archive: 'rar 7z gz tar',
    executable: 'exe msi apk bat scr',
    script: 'js vbs ps1 sh',
    playlist: 'm3u m3u8',
    unknown: 'txt rtf html htm csv psd ai',
  }),
])

const TYPES: ReadonlyMap<string, Format> = new Map([
  ...formats('video', {
    mp4: 'video/mp4 video/x-m4v video/m4v application/mp4',
    mov: 'video/quicktime',
    '3gp': 'video/3gpp video/3gpp2',
    matroska: 'video/x-matroska video/matroska',
    webm: 'video/webm',
    avi: 'video/x-msvideo video/avi video/msvideo',
    mpegts: 'video/mp2t video/vnd.dlna.mpeg-tts',
    mpegps: 'video/mpeg video/mp1s video/mp2p',
    asf: 'video/x-ms-wmv video/x-ms-asf',
    flv: 'video/x-flv',
    ogg: 'video/ogg',
  }),
  ...formats('pdf', { pdf: 'application/pdf application/x-pdf application/acrobat' }),
])

export type TypeEvidence = 'speaks for' | 'speaks against' | 'says nothing'

/** The evidence of one declared value, and its kind, if known. */
export type Claimed = { claim: TypeEvidence; kind: MediaKind | null; value: string }

export function evidenceOfType(slot: SlotRules, declared: string | null): Claimed {
  const value = (declared?.split(';')[0] ?? '').trim().toLowerCase()
  if (SAYS_NOTHING.has(value)) return { claim: 'says nothing', kind: null, value }
  const listed = slot.media.find((media) => media.mimeTypes.includes(value))
  if (listed) return { claim: 'speaks for', kind: listed.kind, value }
  const known = TYPES.get(value)
  if (known) return { claim: claimOf(slot, known), kind: known.kind, value }
  // An unknown video type may still be an accepted container: the first bytes decide.
  const family = slot.media.find((media) => value.startsWith(`${media.kind}/`))
  return { claim: family ? 'says nothing' : 'speaks against', kind: null, value }
}

export function evidenceOfName(slot: SlotRules, filename: string | null): Claimed {
  const value = /\.([^./\\\s]{1,10})\s*$/.exec(filename ?? '')?.[1]?.toLowerCase() ?? ''
  const listed = slot.media.find((media) => media.extensions.includes(value))
  if (listed) return { claim: 'speaks for', kind: listed.kind, value }
  const known = EXTENSIONS.get(value)
  // "แผนการสอน 1.2": the text after the last dot need not be an extension.
  if (!known) return { claim: 'says nothing', kind: null, value }
  return { claim: claimOf(slot, known), kind: known.kind, value }
}

function claimOf(slot: SlotRules, { kind, container }: Format): TypeEvidence {
  return takes(slot, kind, container) ? 'speaks for' : 'speaks against'
}

/** Whether the slot accepts this container, unchanged or converted. */
export function takes(slot: SlotRules, kind: MediaKind, container: string): boolean {
  return slot.media.some((media) => media.kind === kind && containerVerdict(media, container) !== 'refused')
}
