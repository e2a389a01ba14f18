// What a file is, told by its first bytes alone: names and declared types decide nothing.
// Pure, so that the service can ask it about the first kibibytes of an upload that is still running, and the worker
// about the whole file. It names the container, not its health: a file that begins like an MP4 may end anywhere.

export type MediaKind = 'video' | 'audio' | 'image' | 'pdf' | 'other'

/**
 * Containers told apart. `mov` is QuickTime proper (brand `qt  `, or no `ftyp` at all); every other ISO file with video
 * is `mp4` or `3gp`. `playlist` and `script` are text that a media tool would follow to other files or hosts.
 */
export type Container =
  | 'mp4'
  | 'mov'
  | '3gp'
  | 'matroska'
  | 'webm'
  | 'avi'
  | 'mpegts'
  | 'mpegps'
  | 'asf'
  | 'flv'
  | 'ogg'
  | 'm4a'
  | 'wav'
  | 'mp3'
  | 'aac'
  | 'flac'
  | 'amr'
  | 'jpeg'
  | 'png'
  | 'gif'
  | 'webp'
  | 'tiff'
  | 'bmp'
  | 'heif'
  | 'pdf'
  | 'zip'
  | 'ole'
  | 'archive'
  | 'executable'
  | 'playlist'
  | 'script'
  | 'unknown'

/** `undecided`: give at least `wantBytes` from the start of the file, or say that these were all (`whole`). */
export type Identity =
  | { kind: MediaKind; container: Container; brand?: string }
  | { kind: 'undecided'; wantBytes: number }

/** So many bytes from the start always decide (PDF: 1 KiB of junk is allowed; MPEG-TS: five packets of 192). */
export const IDENTIFY_BYTES = 2048

/** Readers accept up to 1 KiB before the header (PDF 1.7, implementation note 13). */
const PDF_WINDOW_BYTES = 1024

type Signature = { at: number; bytes: number[]; kind: MediaKind; container: Container }

const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0))

const SIGNATURES: readonly Signature[] = [
  {
    at: 0,
    bytes: [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0x00, 0xaa],
    kind: 'video',
    container: 'asf',
  },
  { at: 0, bytes: [...ascii('FLV'), 1], kind: 'video', container: 'flv' },
  { at: 0, bytes: [0x00, 0x00, 0x01, 0xba], kind: 'video', container: 'mpegps' },
  { at: 0, bytes: [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a], kind: 'image', container: 'png' },
  { at: 0, bytes: [0xff, 0xd8, 0xff], kind: 'image', container: 'jpeg' },
  { at: 0, bytes: ascii('GIF87a'), kind: 'image', container: 'gif' },
  { at: 0, bytes: ascii('GIF89a'), kind: 'image', container: 'gif' },
  { at: 0, bytes: [...ascii('II'), 0x2a, 0x00], kind: 'image', container: 'tiff' },
  { at: 0, bytes: [...ascii('MM'), 0x00, 0x2a], kind: 'image', container: 'tiff' },
  { at: 0, bytes: ascii('fLaC'), kind: 'audio', container: 'flac' },
  { at: 0, bytes: ascii('#!AMR'), kind: 'audio', container: 'amr' },
  { at: 0, bytes: ascii('ID3'), kind: 'audio', container: 'mp3' },
  { at: 0, bytes: ascii('ffconcat'), kind: 'other', container: 'script' },
  { at: 0, bytes: ascii('#EXTM3U'), kind: 'other', container: 'playlist' },
  { at: 0, bytes: [...ascii('PK'), 3, 4], kind: 'other', container: 'zip' },
  { at: 0, bytes: [...ascii('PK'), 5, 6], kind: 'other', container: 'zip' },
  { at: 0, bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], kind: 'other', container: 'ole' },
  { at: 0, bytes: [...ascii('Rar!'), 0x1a, 0x07], kind: 'other', container: 'archive' },
  { at: 0, bytes: [...ascii('7z'), 0xbc, 0xaf, 0x27, 0x1c], kind: 'other', container: 'archive' },
  { at: 0, bytes: [0x1f, 0x8b, 0x08], kind: 'other', container: 'archive' },
  { at: 0, bytes: [0x7f, ...ascii('ELF')], kind: 'other', container: 'executable' },
]

const IMAGE_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'mif1', 'msf1', 'hevc', 'avif', 'avis', 'crx '])
const AUDIO_BRANDS = new Set(['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B '])
/** Top-level boxes that can open a QuickTime file written before `ftyp` existed, or by a camera that omits it. */
const OLD_QUICKTIME_BOXES = new Set(['moov', 'mdat', 'wide', 'pnot'])

/**
 * Tells what a file is from its start.
 *
 * @param head the first bytes of the file, from position 0; {@link IDENTIFY_BYTES} are always enough
 * @param whole true when `head` is the whole file, so that a short file is decided too
 * @returns kind, container and, for ISO files, the major brand; or `undecided` with the bytes wanted
 */
export function identify(head: Uint8Array, whole = false): Identity {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (bytes.length < 16 && !whole) return { kind: 'undecided', wantBytes: IDENTIFY_BYTES }
  const iso = isoFile(bytes)
  if (iso) return iso
  for (const s of SIGNATURES) {
    if (startsWith(bytes, s.at, s.bytes)) return { kind: s.kind, container: s.container }
  }
  const family = riff(bytes) ?? ebml(bytes) ?? ogg(bytes)
  if (family) return family
  // A transport stream is known by its rhythm only, and a PDF may hide behind up to 1 KiB of junk: both want more bytes.
  const pdfAt = bytes.subarray(0, PDF_WINDOW_BYTES + 5).indexOf('%PDF-', 0, 'latin1')
  if (pdfAt >= 0) return { kind: 'pdf', container: 'pdf' }
  if (bytes.length < IDENTIFY_BYTES && !whole) return { kind: 'undecided', wantBytes: IDENTIFY_BYTES }
  if (isTransportStream(bytes)) return { kind: 'video', container: 'mpegts' }
  return loose(bytes)
}

function startsWith(bytes: Buffer, at: number, expected: readonly number[]): boolean {
  return bytes.length >= at + expected.length && expected.every((value, i) => bytes[at + i] === value)
}

/** ISO base media (ISO/IEC 14496-12) and QuickTime: a box length, then a four-letter type. */
function isoFile(bytes: Buffer): Identity | null {
  if (bytes.length < 12) return null
  const size = bytes.readUInt32BE(0)
  const type = bytes.toString('latin1', 4, 8)
  if (type === 'ftyp' || type === 'styp') {
    const brand = bytes.toString('latin1', 8, 12)
    if (brand === 'qt  ') return { kind: 'video', container: 'mov', brand }
    if (IMAGE_BRANDS.has(brand)) return { kind: 'image', container: 'heif', brand }
    if (AUDIO_BRANDS.has(brand)) return { kind: 'audio', container: 'm4a', brand }
    if (brand.startsWith('3g')) return { kind: 'video', container: '3gp', brand }
    return { kind: 'video', container: 'mp4', brand }
  }
  // size 1 announces a 64-bit length, 0 "to the end of the file"
  if (OLD_QUICKTIME_BOXES.has(type) && (size >= 8 || size < 2)) return { kind: 'video', container: 'mov' }
  return null
}

function riff(bytes: Buffer): Identity | null {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF') return null
  const form = bytes.toString('latin1', 8, 12)
  if (form === 'AVI ') return { kind: 'video', container: 'avi' }
  if (form === 'WAVE') return { kind: 'audio', container: 'wav' }
  if (form === 'WEBP') return { kind: 'image', container: 'webp' }
  return null
}

/** Matroska and WebM share the EBML header (RFC 8794); its DocType element (0x4282) says which. */
function ebml(bytes: Buffer): Identity | null {
  if (!startsWith(bytes, 0, [0x1a, 0x45, 0xdf, 0xa3])) return null
  const header = bytes.subarray(0, 256)
  const at = header.indexOf(Buffer.from([0x42, 0x82]))
  if (at < 0 || at + 3 > header.length) return { kind: 'video', container: 'matroska' }
  const length = (header[at + 2] ?? 0) & 0x7f
  const docType = header.toString('latin1', at + 3, at + 3 + length).replace(/\0+$/, '')
  return { kind: 'video', container: docType === 'webm' ? 'webm' : 'matroska', brand: docType.slice(0, 16) }
}

/** Ogg (RFC 3533): the first page's payload names the codec. */
function ogg(bytes: Buffer): Identity | null {
  if (!startsWith(bytes, 0, ascii('OggS'))) return null
  const video = bytes.subarray(0, 128).includes('theora', 0, 'latin1')
  return { kind: video ? 'video' : 'audio', container: 'ogg' }
}

/** ISO/IEC 13818-1: a sync byte 0x47 every 188 bytes, or every 192 behind a four-byte time code (cameras). */
function isTransportStream(bytes: Buffer): boolean {
  return [
    { first: 0, stride: 188 },
    { first: 4, stride: 192 },
  ].some(({ first, stride }) => {
    const packets = Math.min(5, Math.floor((bytes.length - first) / stride))
    if (packets < 3) return false
    return Array.from({ length: packets }, (_, i) => bytes[first + i * stride]).every((b) => b === 0x47)
  })
}

/** Weak signs, asked last because two bytes are soon met by chance. */
function loose(bytes: Buffer): Identity {
  if (bytes.length >= 4 && bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0) {
    const layer = ((bytes[1] ?? 0) >> 1) & 3
    return layer === 0 ? { kind: 'audio', container: 'aac' } : { kind: 'audio', container: 'mp3' }
  }
  if (startsWith(bytes, 0, ascii('MZ'))) return { kind: 'other', container: 'executable' }
  if (startsWith(bytes, 0, ascii('BM')) && bytes.length > 14) return { kind: 'image', container: 'bmp' }
  const text = bytes
    .toString('latin1', 0, 512)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  if (text.startsWith('#EXTM3U')) return { kind: 'other', container: 'playlist' }
  if (text.startsWith('#!') || text.startsWith('ffconcat')) return { kind: 'other', container: 'script' }
  return { kind: 'other', container: 'unknown' }
}
