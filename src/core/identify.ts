// What a file is, told by its first bytes alone: names and declared types decide nothing.
// Pure, and free of Node, so that the teacher's page asks it before a byte is sent, the service about the first kibibytes
// of an upload that is still running, and the worker about the whole file. It names the container, not its health: a file that begins like an MP4 may end anywhere.

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

/** `text`: bytes as letters, one each (latin1). */
type Signature = { at: number; text: string; kind: MediaKind; container: Container }

const SIGNATURES: readonly Signature[] = [
  {
    at: 0,
    text: '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa',
    kind: 'video',
    container: 'asf',
  },
  { at: 0, text: 'FLV\x01', kind: 'video', container: 'flv' },
  { at: 0, text: '\x00\x00\x01\xba', kind: 'video', container: 'mpegps' },
  { at: 0, text: '\x89PNG\r\n\x1a\n', kind: 'image', container: 'png' },
  { at: 0, text: '\xff\xd8\xff', kind: 'image', container: 'jpeg' },
  { at: 0, text: 'GIF87a', kind: 'image', container: 'gif' },
  { at: 0, text: 'GIF89a', kind: 'image', container: 'gif' },
  { at: 0, text: 'II\x2a\x00', kind: 'image', container: 'tiff' },
  { at: 0, text: 'MM\x00\x2a', kind: 'image', container: 'tiff' },
  { at: 0, text: 'fLaC', kind: 'audio', container: 'flac' },
  { at: 0, text: '#!AMR', kind: 'audio', container: 'amr' },
  { at: 0, text: 'ID3', kind: 'audio', container: 'mp3' },
  { at: 0, text: 'ffconcat', kind: 'other', container: 'script' },
  { at: 0, text: '#EXTM3U', kind: 'other', container: 'playlist' },
  { at: 0, text: 'PK\x03\x04', kind: 'other', container: 'zip' },
  { at: 0, text: 'PK\x05\x06', kind: 'other', container: 'zip' },
  { at: 0, text: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', kind: 'other', container: 'ole' },
  { at: 0, text: 'Rar!\x1a\x07', kind: 'other', container: 'archive' },
  { at: 0, text: '7z\xbc\xaf\x27\x1c', kind: 'other', container: 'archive' },
  { at: 0, text: '\x1f\x8b\x08', kind: 'other', container: 'archive' },
  { at: 0, text: '\x7fELF', kind: 'other', container: 'executable' },
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
  const bytes = head.subarray(0, IDENTIFY_BYTES)
  if (bytes.length < 16 && !whole) return { kind: 'undecided', wantBytes: IDENTIFY_BYTES }
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  const iso = isoFile(bytes, text)
  if (iso) return iso
  for (const s of SIGNATURES) {
    if (text.startsWith(s.text, s.at)) return { kind: s.kind, container: s.container }
  }
  const family = riff(text) ?? ebml(text) ?? ogg(text)
  if (family) return family
  // A transport stream is known by its rhythm only, and a PDF may hide behind up to 1 KiB of junk: both want more bytes.
  if (text.slice(0, PDF_WINDOW_BYTES + 5).includes('%PDF-')) return { kind: 'pdf', container: 'pdf' }
  if (bytes.length < IDENTIFY_BYTES && !whole) return { kind: 'undecided', wantBytes: IDENTIFY_BYTES }
  if (isTransportStream(bytes)) return { kind: 'video', container: 'mpegts' }
  return loose(bytes, text)
}

/** ISO base media (ISO/IEC 14496-12) and QuickTime: a box length, then a four-letter type. */
function isoFile(bytes: Uint8Array, text: string): Identity | null {
  if (bytes.length < 12) return null
  const type = text.slice(4, 8)
  if (type === 'ftyp' || type === 'styp') {
    const brand = text.slice(8, 12)
    if (brand === 'qt  ') return { kind: 'video', container: 'mov', brand }
    if (IMAGE_BRANDS.has(brand)) return { kind: 'image', container: 'heif', brand }
    if (AUDIO_BRANDS.has(brand)) return { kind: 'audio', container: 'm4a', brand }
    if (brand.startsWith('3g')) return { kind: 'video', container: '3gp', brand }
    return { kind: 'video', container: 'mp4', brand }
  }
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  // size 1 announces a 64-bit length, 0 "to the end of the file"
  if (OLD_QUICKTIME_BOXES.has(type) && (size >= 8 || size < 2)) return { kind: 'video', container: 'mov' }
  return null
}

function riff(text: string): Identity | null {
  if (!text.startsWith('RIFF')) return null
  const form = text.slice(8, 12)
  if (form === 'AVI ') return { kind: 'video', container: 'avi' }
  if (form === 'WAVE') return { kind: 'audio', container: 'wav' }
  if (form === 'WEBP') return { kind: 'image', container: 'webp' }
  return null
}

/** Matroska and WebM share the EBML header (RFC 8794); its DocType element (0x4282) says which. */
function ebml(text: string): Identity | null {
  if (!text.startsWith('\x1a\x45\xdf\xa3')) return null
  const header = text.slice(0, 256)
  const at = header.indexOf('\x42\x82')
  if (at < 0 || at + 3 > header.length) return { kind: 'video', container: 'matroska' }
  const length = (header.charCodeAt(at + 2) || 0) & 0x7f
  const docType = header.slice(at + 3, at + 3 + length).replace(/\0+$/, '')
  return { kind: 'video', container: docType === 'webm' ? 'webm' : 'matroska', brand: docType.slice(0, 16) }
}

/** Ogg (RFC 3533): the first page's payload names the codec. */
function ogg(text: string): Identity | null {
  if (!text.startsWith('OggS')) return null
  return { kind: text.slice(0, 128).includes('theora') ? 'video' : 'audio', container: 'ogg' }
}

/** ISO/IEC 13818-1: a sync byte 0x47 every 188 bytes, or every 192 behind a four-byte time code (cameras). */
function isTransportStream(bytes: Uint8Array): boolean {
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
function loose(bytes: Uint8Array, text: string): Identity {
  if (bytes.length >= 4 && bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0) {
    const layer = ((bytes[1] ?? 0) >> 1) & 3
    return layer === 0 ? { kind: 'audio', container: 'aac' } : { kind: 'audio', container: 'mp3' }
  }
  if (text.startsWith('MZ')) return { kind: 'other', container: 'executable' }
  if (text.startsWith('BM') && bytes.length > 14) return { kind: 'image', container: 'bmp' }
  const start = text
    .slice(0, 512)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  if (start.startsWith('#EXTM3U')) return { kind: 'other', container: 'playlist' }
  if (start.startsWith('#!') || start.startsWith('ffconcat')) return { kind: 'other', container: 'script' }
  return { kind: 'other', container: 'unknown' }
}
