// Detects the file type by the first bytes; names and declared types are ignored.
// Pure and without Node APIs: used by the page before sending, by the service on the first kibibytes of a
// running upload, and by the worker on the stored file. It detects the container, not whether the file is complete.

export type MediaKind = 'video' | 'audio' | 'image' | 'pdf' | 'other'

/**
 * The detected containers. `mov` is QuickTime (brand `qt  `, or no `ftyp` at the start); every other ISO file with video
 * is `mp4` or `3gp`. `playlist` and `script` are texts that can make media tools open other files or hosts.
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

/** `undecided`: pass at least `wantBytes` from the start of the file, or set `whole`. */
export type Identity =
  | { kind: MediaKind; container: Container; brand?: string }
  | { kind: 'undecided'; wantBytes: number }

/** This many bytes are always enough (PDF: 1 KiB of junk is allowed; MPEG-TS: packets of 192 bytes). */
export const IDENTIFY_BYTES = 2048

/** Readers accept up to 1 KiB before the header (PDF 1.7, implementation note 13). */
const PDF_WINDOW_BYTES = 1024
/** `%PDF-1.7`; some writers omit the hyphen, and readers accept that. */
const PDF_HEADER = /%PDF(-|\s?\d\.)/

/** Signatures at the start of a file, one character per byte. */
const SIGNATURES: readonly [start: string, kind: MediaKind, container: Container][] = [
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa', 'video', 'asf'],
  ['FLV\x01', 'video', 'flv'],
  ['\x00\x00\x01\xba', 'video', 'mpegps'],
  ['\x89PNG\r\n\x1a\n', 'image', 'png'],
  ['\xff\xd8\xff', 'image', 'jpeg'],
  ['GIF87a', 'image', 'gif'],
  ['GIF89a', 'image', 'gif'],
  ['II\x2a\x00', 'image', 'tiff'],
  ['MM\x00\x2a', 'image', 'tiff'],
  ['fLaC', 'audio', 'flac'],
  ['#!AMR', 'audio', 'amr'],
  ['ID3', 'audio', 'mp3'],
  ['ffconcat', 'other', 'script'],
  ['#EXTM3U', 'other', 'playlist'],
  ['PK\x03\x04', 'other', 'zip'],
  ['PK\x05\x06', 'other', 'zip'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'other', 'ole'],
  ['Rar!\x1a\x07', 'other', 'archive'],
  ['7z\xbc\xaf\x27\x1c', 'other', 'archive'],
  ['\x1f\x8b\x08', 'other', 'archive'],
  ['\x7fELF', 'other', 'executable'],
]

const IMAGE_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'mif1', 'msf1', 'hevc', 'avif', 'avis', 'crx '])
const AUDIO_BRANDS = new Set(['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B '])
/** First boxes of QuickTime files without `ftyp` (old files and some cameras). */
const OLD_QUICKTIME_BOXES = new Set(['moov', 'mdat', 'pnot'])
/** Filler boxes, which may be anywhere, also before `ftyp`. */
const FILLER_BOXES = new Set(['free', 'skip', 'wide', 'junk', 'uuid'])
/** A larger size is no filler box, but text that looks like one. */
const MAX_FILLER_BYTES = 0x1000_0000

/**
 * Detects the type of a file from its start.
 *
 * @param head the first bytes of the file, from position 0; {@link IDENTIFY_BYTES} are always enough
 * @param whole true when `head` is the whole file, so that a short file is decided too
 * @returns kind, container and, for ISO files, the major brand; or `undecided` with the bytes wanted
 */
export function identify(head: Uint8Array, whole = false): Identity {
  const undecided: Identity = { kind: 'undecided', wantBytes: IDENTIFY_BYTES }
  if (head.length < 16 && !whole) return undecided
  const text = latin1(head)
  const enough = whole || head.length >= IDENTIFY_BYTES
  const iso = isoFile(head, text, enough)
  if (iso !== null) return iso === 'wants more' ? undecided : iso
  for (const [start, kind, container] of SIGNATURES) if (text.startsWith(start)) return { kind, container }
  const family = riff(text) ?? ebml(head, text) ?? ogg(text)
  if (family) return family
  // MPEG-TS is detected by repeated sync bytes, and a PDF may have up to 1 KiB of junk in front: both need more bytes.
  if (PDF_HEADER.test(text.slice(0, PDF_WINDOW_BYTES + 5))) return { kind: 'pdf', container: 'pdf' }
  if (!enough) return undecided
  if (isTransportStream(head)) return { kind: 'video', container: 'mpegts' }
  return loose(head, text)
}

/** One character per byte, of the first {@link IDENTIFY_BYTES}. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, IDENTIFY_BYTES), (byte) => String.fromCharCode(byte)).join('')
}

function readU32(bytes: Uint8Array, at: number): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum * 256 + (bytes[at + i] ?? 0), 0)
}

/**
 * ISO base media (ISO/IEC 14496-12) and QuickTime: boxes of a length, a four-letter type and a payload. The first one
 * that is no filler decides; filler beyond the end of `bytes` means QuickTime.
 */
function isoFile(bytes: Uint8Array, text: string, enough: boolean): Identity | 'wants more' | null {
  const quicktime: Identity = { kind: 'video', container: 'mov' }
  let at = 0
  while (at + 12 <= text.length) {
    const size = readU32(bytes, at)
    const type = text.slice(at + 4, at + 8)
    if (type === 'ftyp' || type === 'styp') return byBrand(text.slice(at + 8, at + 12))
    // Size 1 announces a 64-bit length, 0 "to the end of the file"; 2 to 7 are no box.
    const isBox = size >= 8 || size < 2
    if (OLD_QUICKTIME_BOXES.has(type) && isBox) return quicktime
    // An unknown box after filler: it was an ISO file up to there.
    if (!FILLER_BOXES.has(type) || !isBox || size > MAX_FILLER_BYTES) return at === 0 ? null : quicktime
    // Filler of 64-bit length or up to the end of the file: the next box is out of reach.
    if (size < 2) return quicktime
    at += size
  }
  if (at === 0) return null
  return enough ? quicktime : 'wants more'
}

function byBrand(brand: string): Identity {
  if (brand === 'qt  ') return { kind: 'video', container: 'mov', brand }
  if (IMAGE_BRANDS.has(brand)) return { kind: 'image', container: 'heif', brand }
  if (AUDIO_BRANDS.has(brand)) return { kind: 'audio', container: 'm4a', brand }
  return { kind: 'video', container: brand.startsWith('3g') ? '3gp' : 'mp4', brand }
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
function ebml(bytes: Uint8Array, text: string): Identity | null {
  if (!text.startsWith('\x1a\x45\xdf\xa3')) return null
  const at = text.slice(0, 256).indexOf('\x42\x82')
  if (at < 0) return { kind: 'video', container: 'matroska' }
  const length = (bytes[at + 2] ?? 0) & 0x7f
  const docType = text.slice(at + 3, Math.min(256, at + 3 + length)).replace(/\0+$/, '')
  return { kind: 'video', container: docType === 'webm' ? 'webm' : 'matroska', brand: docType.slice(0, 16) }
}

/** Ogg (RFC 3533): the first page's payload names the codec. */
function ogg(text: string): Identity | null {
  if (!text.startsWith('OggS')) return null
  const isVideo = text.slice(0, 128).includes('theora')
  return { kind: isVideo ? 'video' : 'audio', container: 'ogg' }
}

/**
 * ISO/IEC 13818-1: a sync byte 0x47 every 188 bytes; every 192 behind a time code (cameras), every 204 with a checksum
 * (broadcasts). A cut recording starts in the middle of a packet: then all sync bytes in `bytes` must match.
 */
function isTransportStream(bytes: Uint8Array): boolean {
  const keeps = (first: number, stride: number, packets: number): boolean =>
    Array.from({ length: packets }, (_, i) => bytes[first + i * stride]).every((byte) => byte === 0x47)
  return [188, 192, 204].some((stride) =>
    Array.from({ length: stride }, (_, first) => first).some((first) => {
      const whole = Math.ceil((bytes.length - first) / stride)
      const isStart = first === 0 || (stride === 192 && first === 4)
      const packets = isStart ? Math.min(5, Math.floor((bytes.length - first) / stride)) : whole
      return packets >= (isStart ? 3 : MIN_PACKETS_FROM_THE_MIDDLE) && keeps(first, stride, packets)
    }),
  )
}

/** A random match of eight sync bytes is as rare as 1 in 10^17. */
const MIN_PACKETS_FROM_THE_MIDDLE = 8

/** Weak signatures, checked last because two bytes can match by chance. */
function loose(bytes: Uint8Array, text: string): Identity {
  const [first = 0, second = 0] = bytes
  if (bytes.length >= 4 && first === 0xff && (second & 0xe0) === 0xe0)
    return { kind: 'audio', container: ((second >> 1) & 3) === 0 ? 'aac' : 'mp3' }
  if (text.startsWith('MZ')) return { kind: 'other', container: 'executable' }
  if (text.startsWith('BM') && bytes.length > 14) return { kind: 'image', container: 'bmp' }
  const words = text
    .slice(0, 512)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
  if (words.startsWith('#EXTM3U')) return { kind: 'other', container: 'playlist' }
  if (words.startsWith('#!') || words.startsWith('ffconcat')) return { kind: 'other', container: 'script' }
  return { kind: 'other', container: 'unknown' }
}
