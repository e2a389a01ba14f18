// What a file is, by its first bytes: the service does the same with the first kibibytes that arrive, and its word counts.
// Here it saves a person from sending gigabytes of what cannot be taken.

/** So many bytes from the start are enough. */
export const HEAD_BYTES = 2048

/** @typedef {'video' | 'audio' | 'image' | 'pdf' | 'other'} Kind */
/** @typedef {{kind: Kind, container: string}} Identity */

/** @type {[at: number, signature: string, kind: Kind, container: string][]} */
const SIGNATURES = [
  [0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa', 'video', 'asf'],
  [0, 'FLV\x01', 'video', 'flv'],
  [0, '\x00\x00\x01\xba', 'video', 'mpegps'],
  [0, '\x89PNG\r\n\x1a', 'image', 'png'],
  [0, '\xff\xd8\xff', 'image', 'jpeg'],
  [0, 'GIF87a', 'image', 'gif'],
  [0, 'GIF89a', 'image', 'gif'],
  [0, 'II\x2a\x00', 'image', 'tiff'],
  [0, 'MM\x00\x2a', 'image', 'tiff'],
  [0, 'fLaC', 'audio', 'flac'],
  [0, '#!AMR', 'audio', 'amr'],
  [0, 'ID3', 'audio', 'mp3'],
  [0, 'PK\x03\x04', 'other', 'zip'],
  [0, 'PK\x05\x06', 'other', 'zip'],
  [0, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'other', 'ole'],
  [0, 'Rar!\x1a\x07', 'other', 'archive'],
  [0, '7z\xbc\xaf\x27\x1c', 'other', 'archive'],
  [0, '\x1f\x8b\x08', 'other', 'archive'],
  [0, '\x7fELF', 'other', 'executable'],
  [8, 'AVI ', 'video', 'avi'],
  [8, 'WAVE', 'audio', 'wav'],
  [8, 'WEBP', 'image', 'webp'],
]

const IMAGE_BRANDS = ['heic', 'heix', 'heim', 'heis', 'mif1', 'msf1', 'hevc', 'avif', 'avis', 'crx ']
const AUDIO_BRANDS = ['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B ']
/** Boxes that can open a QuickTime file of a camera that writes no `ftyp`. */
const OLD_QUICKTIME = ['moov', 'mdat', 'wide', 'pnot']

/**
 * @param {Uint8Array} head the first {@link HEAD_BYTES} of the file, or all of a shorter one
 * @returns {Identity} container `unknown` where nothing is recognized
 */
export function identify(head) {
  const text = latin1(head)
  return (
    isoFile(text) ?? signed(text) ?? ebml(text) ?? ogg(text) ?? pdf(text) ?? transport(head) ?? loose(head)
  )
}

/** @param {Uint8Array} bytes */
function latin1(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** @param {string} text @returns {Identity | undefined} */
function isoFile(text) {
  const type = text.slice(4, 8)
  if (type === 'ftyp' || type === 'styp') {
    const brand = text.slice(8, 12)
    if (brand === 'qt  ') return { kind: 'video', container: 'mov' }
    if (IMAGE_BRANDS.includes(brand)) return { kind: 'image', container: 'heif' }
    if (AUDIO_BRANDS.includes(brand)) return { kind: 'audio', container: 'm4a' }
    return { kind: 'video', container: brand.startsWith('3g') ? '3gp' : 'mp4' }
  }
  const size = [0, 1, 2, 3].reduce((sum, i) => sum * 256 + (text.charCodeAt(i) || 0), 0)
  // Size 1 announces a 64-bit length, 0 "to the end"; 2 to 7 are no box.
  const old = text.length >= 12 && OLD_QUICKTIME.includes(type) && (size >= 8 || size < 2)
  return old ? { kind: 'video', container: 'mov' } : undefined
}

/** @param {string} text @returns {Identity | undefined} */
function signed(text) {
  const found = SIGNATURES.find(
    ([at, signature]) => text.startsWith(signature, at) && (at === 0 || text.startsWith('RIFF')),
  )
  return found && { kind: found[2], container: found[3] }
}

/** Matroska and WebM share a header (RFC 8794), whose DocType says which. @param {string} text @returns {Identity | undefined} */
function ebml(text) {
  if (!text.startsWith('\x1a\x45\xdf\xa3')) return undefined
  const webm = text.slice(0, 256).includes('webm')
  return { kind: 'video', container: webm ? 'webm' : 'matroska' }
}

/** @param {string} text @returns {Identity | undefined} */
function ogg(text) {
  if (!text.startsWith('OggS')) return undefined
  return { kind: text.slice(0, 128).includes('theora') ? 'video' : 'audio', container: 'ogg' }
}

/** Readers allow up to 1 KiB before the header. @param {string} text @returns {Identity | undefined} */
function pdf(text) {
  return text.slice(0, 1029).includes('%PDF-') ? { kind: 'pdf', container: 'pdf' } : undefined
}

/** A sync byte every 188 bytes, or every 192 behind a time code. @param {Uint8Array} head @returns {Identity | undefined} */
function transport(head) {
  const rhythms = [
    { first: 0, stride: 188 },
    { first: 4, stride: 192 },
  ]
  const found = rhythms.some(({ first, stride }) => {
    const packets = Math.min(5, Math.floor((head.length - first) / stride))
    if (packets < 3) return false
    return Array.from({ length: packets }, (_, i) => head[first + i * stride]).every((byte) => byte === 0x47)
  })
  return found ? { kind: 'video', container: 'mpegts' } : undefined
}

/** Weak signs, asked last. @param {Uint8Array} head @returns {Identity} */
function loose(head) {
  const [first = 0, second = 0] = head
  if (head.length >= 4 && first === 0xff && (second & 0xe0) === 0xe0)
    return { kind: 'audio', container: ((second >> 1) & 3) === 0 ? 'aac' : 'mp3' }
  return { kind: 'other', container: 'unknown' }
}
